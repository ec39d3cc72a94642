"""The firewall of every host, unless `firewall_enabled` is off.

    pyinfra inventory deploys/firewall.py --dry --diff
    pyinfra inventory deploys/firewall.py -y

New rules are in force for `firewall_confirm_seconds` and stay only if this machine can connect again with them.
"""

from roles.firewall import firewall

firewall()
