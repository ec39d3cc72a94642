"""The shared verbs of every role: plan, probe, converge. Nothing here knows any one role."""
