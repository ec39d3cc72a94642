"""The catalogue as a table, its totals, and whether it fits on the hosts of an environment."""
