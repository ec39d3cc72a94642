"""Names and values that the plan and the host-side code share. It imports nothing, so it is cheap for both sides."""

NETWORK, CONTAINERS, ENGINE = "container network", "containers", "docker engine"
PLANNED = {NETWORK: {"kernel": "complete"}, CONTAINERS: {"paused": "none"}, ENGINE: {"in_force": "as planned"}}
