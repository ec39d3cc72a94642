"""Settings of the firewall."""

firewall_enabled: bool = False  # whether hosts drop what no role declares in its flows.py
# Networks that runs are started from, such as ["203.0.113.0/24"]; only they reach SSH. Empty: SSH is open to all
firewall_operator_networks: list[str] = []
firewall_confirm_seconds: int = 30  # after this time the old rules come back, unless a new connection was possible
