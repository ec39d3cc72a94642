"""How apt works on its own: not at all, or for security updates that restart no daemon of a role.

Daemons that restart in order are updated by deploys/update.py alone: the plan of each role names their packages.
needrestart, which other packages recommend, only lists what it would restart.
"""

from pathlib import Path

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, State, Unit
from roles.table import ROLES

SOURCE = Path(__file__).parent / "host/state.py"
CONFIG = "/etc/apt/apt.conf.d/52-nexus-cos"  # after 50unattended-upgrades, Debian's own
NEEDRESTART = "/etc/needrestart"
RESTARTS = f"{NEEDRESTART}/conf.d/50-nexus-cos.conf"
TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")
RECORD = "/var/lib/nexus-cos/update.json"  # of deploys/update.py, where this host stands in it


def plan(env: Environment, host: Host) -> Desired:
    """The configuration comes before the package: Debian's default would update all packages of a point release."""
    on = host.setting.apt_security_updates
    config = File(CONFIG, env.render("apt/apt.conf.j2", on=on, in_order=in_order()))
    return Desired(
        early=(config,),
        packages=("unattended-upgrades",) if on else (),
        directories=(Directory(NEEDRESTART), Directory(f"{NEEDRESTART}/conf.d")),
        files=(File(RESTARTS, env.render("apt/needrestart.conf.j2")),),
        units=tuple(Unit(name, enabled=on, running=on) for name in TIMERS),
        states=(State("update", SOURCE, {"update": {}}, context={"record": RECORD}),),
    )


def in_order() -> list[str]:
    """Packages, as regular expressions, that deploys/update.py alone updates: their daemons restart in order."""
    return list(dict.fromkeys(pattern for name in ROLES for pattern in ROLES.in_order(name)))
