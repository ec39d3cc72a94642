"""What every role and runbook of an environment stands on: plan, probe, converge. Knows no role by name."""

__version__ = "0.1.0"
