"""Settings of the record: what deploys/history.py is asked, beside `host` and `since` (roles/runbook)."""

from __future__ import annotations

item: str = ""  # only items with this word in their name or role
history_runs: int = 20  # runs shown where no time is given
