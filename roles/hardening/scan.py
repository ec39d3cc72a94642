"""The measure that looks for what the others left: Lynis, ssh-audit and dpkg, each week."""

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import File, Unit
from nexus.plan.sent import program
from roles.hardening.measure import Measure, Part

LIBRARY = "/usr/local/lib/nexus-cos/scan"
PROGRAM = "roles.hardening.host.scan"
FOUND = "/var/lib/nexus-cos/scan.json"
UNIT = "nexus-security-scan"
UNITS = "/etc/systemd/system"


def _scan(env: Environment, host: Host) -> Part:
    values = {"library": LIBRARY, "program": PROGRAM, "file": FOUND}
    return Part(
        packages=("lynis", "ssh-audit"),
        files=(
            *(File(f"{LIBRARY}/{path}", text) for path, text in program([PROGRAM]).items()),
            File(f"{UNITS}/{UNIT}.service", env.render("hardening/scan.service.j2", **values)),
            File(f"{UNITS}/{UNIT}.timer", env.render("hardening/scan.timer.j2")),
        ),
        units=(Unit(f"{UNIT}.timer"),),
    )


MEASURES = (
    Measure(
        "scan",
        "Lynis, ssh-audit and dpkg look at the host each week; deploys/security.py tells what they found",
        "What no measure covers must be known, and so must a measure that stopped working.",
        f"systemctl start {UNIT}; cat {FOUND}",
        _scan,
    ),
)
