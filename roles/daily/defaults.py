"""What the deploys of daily work are told by `--data`."""

from __future__ import annotations

replicas: str = ""  # how many of a service, or "catalogue" for as many as that says
unit: str = ""  # a systemd unit that a role has laid down
module: str = ""  # a module of the catalogue, by its slug
back: bool = False  # end the maintenance
grep: str = ""  # logs: lines with this text
lines: int = 200  # logs: at most so many, the newest
which: str = ""  # daily checks: morning, evening, security; empty: all
