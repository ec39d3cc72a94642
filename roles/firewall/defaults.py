"""Settings of the firewall."""

from typing import Any

firewall_enabled: bool = True  # whether hosts drop what no role declares in its flows.py
# More that arrives, such as [{"from": ["203.0.113.9"], "to": "edge", "port": 9100, "why": "the company's monitoring"}].
# `to` is a group or a host, `from` lists networks; `protocol` is tcp if it is not given
firewall_allow: list[dict[str, Any]] = []
# Networks that runs are started from, such as ["203.0.113.0/24"]; only they reach SSH. Empty: SSH is open to all
firewall_operator_networks: list[str] = []
firewall_confirm_seconds: int = 30  # after this time the old rules come back, unless a new connection was possible
RENAMED = {"router_metrics_sources": "firewall_allow"}
