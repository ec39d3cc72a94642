"""The way to a host: SSH as OpenSSH would go it, and requests to the agent that answers there."""
