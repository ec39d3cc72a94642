"""The lab: real Debian hosts on the local machine, as a provider for environments that ask for it.

It creates hosts with systemd and sshd, reachable by key, and installs nothing else: that is the deploys' task.
"""

from nexus.provider.lab.environment import LabEnvironment, load
from nexus.provider.lab.lab import down, down_all, up, up_as_root
from nexus.provider.lab.machine import LabError
from nexus.provider.lab.precheck import reason_lab_cannot_run

__all__ = ["LabEnvironment", "LabError", "down", "down_all", "load", "reason_lab_cannot_run", "up", "up_as_root"]
