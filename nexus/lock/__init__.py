"""The environment's lock: one run changes hosts at a time, and one that slept cannot go on after losing it."""
