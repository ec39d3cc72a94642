"""The lab: real Debian hosts on the machine at hand, as a provider of the environments that ask for it.

Makes hosts with systemd and sshd, reachable by key, and nothing on them: that is what the deploys are for.
"""

from nexus.provider.lab.environment import LabEnvironment, load
from nexus.provider.lab.lab import down, down_all, up, up_as_root
from nexus.provider.lab.machine import LabError
from nexus.provider.lab.precheck import reason_lab_cannot_run

__all__ = ["LabEnvironment", "LabError", "down", "down_all", "load", "reason_lab_cannot_run", "up", "up_as_root"]
