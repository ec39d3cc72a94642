"""The environment's lock: one run changes hosts at a time, and a run that slept and lost it cannot continue."""
