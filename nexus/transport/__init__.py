"""The way to a host: SSH as OpenSSH does it, and requests to the agent that answers there."""
