"""The catalogue as a table, its totals, and a check that it fits the hosts of an environment."""
