"""Why nothing of RabbitMQ is failed over or copied again by hand."""

STORE, TITLE = "rabbitmq", "RabbitMQ"
NO_SWITCH = (
    "RabbitMQ has no primary to move: every node takes writes, and a queue's leader moves by itself when its node stops"
)
NO_REBUILD = "a node of RabbitMQ is taken out and joins again by deploys/data.py"
