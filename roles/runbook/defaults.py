"""What runbooks are told by `--data`: words that several of them share. Empty means: not said."""

from __future__ import annotations

to: str = ""  # where to: a host, a point in time, a release
services: str = ""  # several services, separated by commas, or all
service: str = ""  # one service of the catalogue
store: str = ""  # one store: postgresql, redis, ...
host: str = ""  # one host of the inventory
# How far back: 30s, 15m, 3h, 7d, a time as 2026-11-22T19:00 or a date; the record also takes yesterday and today.
since: str = ""
force: bool = False  # go on where a runbook would rather not
format: str = "text"  # of what is printed: text or json
replace: bool = False  # put what was made in the place of what is there
type: str = ""  # of a backup: full, diff, incr
