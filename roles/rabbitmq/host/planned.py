"""What the plan and the code on hosts must know alike. It imports nothing, so it costs neither side anything."""

PEER_PORT = 25672  # where nodes talk to each other
TAG = "nexus-cos"  # of users that we made
