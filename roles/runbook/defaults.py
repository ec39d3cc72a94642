"""What runbooks are told by `--data`: words that several of them share. Empty means: not said."""

from __future__ import annotations

to: str = ""  # where to: a host, a point in time, a release
service: str = ""  # one service of the catalogue
store: str = ""  # one store: postgresql, redis, ...
host: str = ""  # one host of the inventory
force: bool = False  # go on where a runbook would rather not
format: str = "text"  # of what is printed: text or json
