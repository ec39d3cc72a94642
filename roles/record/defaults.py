"""Settings of the record: what deploys/history.py is asked."""

from __future__ import annotations

since: str = ""  # how far back: yesterday, today, 3h, 7d, or a date such as 2026-11-21; the last runs if not given
host: str = ""  # only what changed on this host
item: str = ""  # only items with this word in their name or role
history_runs: int = 20  # runs shown where no time is given
