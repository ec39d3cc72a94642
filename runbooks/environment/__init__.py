"""A new environment: its inventory and group data, written to fit its hosts; and their removal."""
