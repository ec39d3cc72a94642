"""What the plan and the code on hosts must know alike. It imports nothing, so it costs neither side anything."""

NETWORK, CONTAINERS, ENGINE = "container network", "containers", "docker engine"
PLANNED = {NETWORK: {"kernel": "complete"}, CONTAINERS: {"paused": "none"}, ENGINE: {"in_force": "as planned"}}
