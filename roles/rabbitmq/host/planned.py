"""What the plan and the host-side code share. It imports nothing, so it costs neither side anything."""

PEER_PORT = 25672  # where nodes talk to each other
TAG = "nexus-cos"  # of users that we made
