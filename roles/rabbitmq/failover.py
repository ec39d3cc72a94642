"""The reasons why operators never fail over or rebuild RabbitMQ."""

STORE, TITLE = "rabbitmq", "RabbitMQ"
NO_SWITCH = "RabbitMQ has no primary to move: every node takes writes, and a queue's leader moves when its node stops"
NO_REBUILD = "a node of RabbitMQ is removed and joins again with deploys/data.py"
