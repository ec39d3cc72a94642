"""PostgreSQL's cluster as Patroni reports it, asked on any data host that answers."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

from control import Control

from nexus.provider.lab.machine import wait_until
from roles.certificate.plan import CA

ROLES = {"leader": "Leader", "sync_standby": "Sync Standby", "replica": "Replica"}
WHOLE_SECONDS = 120


class Database:
    """The cluster of an environment's data hosts."""

    def __init__(self, control: Control) -> None:
        self.control, self.hosts = control, control.group("postgresql")

    def members(self) -> dict[str, dict[str, Any]]:
        """Every member as Patroni lists it; empty while no host answers."""
        port = self.control.planned.setting.postgresql_rest_port
        for host in self.hosts:
            address = self.control.lab.host(host).address
            ask = f"curl -sS -m 5 --cacert {CA} https://{address}:{port}/cluster"
            try:
                told = json.loads(self.control.ssh(host, ask, seconds=20))["members"]
            except (RuntimeError, ValueError, KeyError, subprocess.TimeoutExpired):
                continue
            return {one["name"]: {"Role": ROLES.get(one["role"], one["role"]), "State": one["state"]} for one in told}
        return {}

    def primary(self) -> str:
        """The member that holds the leader's key; empty while no member does."""
        return next((name for name, member in self.members().items() if member["Role"] == "Leader"), "")

    def sql(self, name: str, text: str, seconds: float = 60) -> list[str]:
        """Lines of the answer to statements of the superuser on the primary, in the database of this name."""
        command = f"sudo -u postgres psql -XAtq -v ON_ERROR_STOP=1 -d {name} -f -"
        return self.control.ssh(self.primary(), command, text, seconds).split("\n")[:-1]

    def whole(self) -> bool:
        """Whether there is a primary, and every other host streams from it, one synchronously."""
        members = self.members()
        states = [member["State"] for member in members.values() if member["Role"] != "Leader"]
        roles = [member["Role"] for member in members.values()]
        synchronous = len(self.hosts) == 1 or "Sync Standby" in roles
        return set(members) == set(self.hosts) and "Leader" in roles and synchronous and set(states) <= {"streaming"}

    def wait_whole(self, seconds: float = WHOLE_SECONDS) -> float:
        """Seconds until the cluster is complete; fails with its state after a timeout."""
        began = time.monotonic()
        assert wait_until(self.whole, seconds, pause=1), f"not whole after {seconds:.0f} s: {self.members()}"
        return time.monotonic() - began

    def wait_other(self, than: str, seconds: float = 60) -> str:
        """The new primary, once it has taken over from this one."""
        assert wait_until(lambda: self.primary() not in ("", than), seconds, pause=0.5), f"{than} has no successor"
        return self.primary()
