"""The foundation of every role and runbook of an environment: plan, probe, converge. Knows no role by name."""

__version__ = "0.1.0"
