"""One table of nftables on each host, made from the flows of all roles. It only restricts.

Rules of others, such as Docker's, are not touched: what one table drops is dropped, and what it accepts must pass the
others too. The rules are loaded before the network and before Docker. New rules are tried first (host/state.py).
"""

import hashlib
from pathlib import Path

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, State, Unit
from roles.firewall.host.state import NONE
from roles.firewall.rules import check, from_hosts, rules

SOURCE = Path(__file__).parent / "host/state.py"
RULES = "/etc/nexus-cos/firewall.nft"  # confirmed rules, which the unit loads at boot
UNIT = "nexus-firewall.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
CONTAINERS = ("docker0", "docker_gwbridge", "br-*")  # interfaces of Docker's networks


def plan(env: Environment, host: Host) -> Desired:
    """The unit and the rules; no rules while `firewall_enabled` is off."""
    if not host.setting.firewall_enabled:
        return Desired(states=(State("firewall", SOURCE, {"firewall": {"rules": NONE}}, context=context(env)),))
    check(env)
    text = env.render("firewall/rules.nft.j2", rules=rules(env, host), own=from_hosts(env), containers=CONTAINERS)
    stamp = hashlib.sha256(text.encode()).hexdigest()
    return Desired(
        packages=("nftables",),
        directories=(Directory("/etc/nexus-cos"), Directory("/var/lib/nexus-cos", mode=0o700)),
        files=(File(UNIT_FILE, env.render("firewall/service.j2", rules=RULES)),),
        units=(Unit(UNIT),),
        states=(
            State(
                "firewall",
                SOURCE,
                {"firewall": {"rules": stamp}},
                context=context(env),
                payload={"text": text, "stamp": stamp},
            ),
        ),
    )


def context(env: Environment) -> dict[str, object]:
    """What host/state.py must know besides the rules."""
    return {
        "rules": RULES,
        "unit": UNIT,
        "seconds": env.setting.firewall_confirm_seconds,
        "operators": list(env.setting.firewall_operator_networks),
    }
