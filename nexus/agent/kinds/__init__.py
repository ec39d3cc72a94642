"""What hosts do for each kind of item, see nexus/plan/kinds/: `probe` what is there, and the `step` that changes it."""
