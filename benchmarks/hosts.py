"""The light hosts of the comparison: the lab makes them, the benchmark logs in by itself and resets them to bare."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import WORK
from benchmarks import slice as workload
from benchmarks.meter import cpu_seconds
from nexus.provider import lab
from nexus.provider.lab import guest
from nexus.provider.lab.environment import LabEnvironment, LabHost
from nexus.provider.lab.host import SYSTEMD_OUTSIDE, Host

SSHD = "/etc/ssh/sshd_config.d/20-bench.conf"
COUNT = "journalctl -q --no-pager -o cat -g '^Starting session' | grep -c ."


@dataclass(frozen=True)
class Fleet:
    """The hosts that are up, and how the benchmark itself logs in to them."""

    hosts: tuple[Host, ...]
    access: Path

    def take(self, size: int) -> Fleet:
        """This number of hosts, from the first."""
        return Fleet(self.hosts[:size], self.access)

    def everywhere(self, command: str, seconds: float = 600) -> list[str]:
        """Standard output of a shell script that root runs on all hosts in parallel."""
        return asyncio.run(self._everywhere(command, seconds))

    async def _everywhere(self, command: str, seconds: float) -> list[str]:
        return await asyncio.gather(*(self._one(host, command, seconds) for host in self.hosts))

    async def _one(self, host: Host, command: str, seconds: float) -> str:
        process = await asyncio.create_subprocess_exec(
            *("ssh", "-F", str(self.access / "ssh_config"), "-o", "BatchMode=yes", host.name, "sudo sh -s"),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(command.encode()), seconds)
        if process.returncode:
            raise RuntimeError(f"{host.name}: ended with {process.returncode}: {err.decode()[-2000:]}")
        return out.decode()

    def sessions(self) -> int:
        """Commands and transfers that sshd has started on all hosts, without those of this question."""
        return sum(int(text) - 1 for text in self.everywhere(f"{COUNT} || true"))

    def cpu(self) -> float | None:
        """CPU that all hosts have used since they booted; None if the machine does not report it."""
        found = [cpu_seconds(group) for host in self.hosts if (group := _control_group(host))]
        known = [seconds for seconds in found if seconds is not None]
        return sum(known) if len(known) == len(self.hosts) else None

    def reset(self, packages: bool, ours: bool) -> None:
        """Remove the slice from the hosts; `packages`: its packages, too; `ours`: also the library's own files."""
        self.everywhere(reset_script(self._running(), packages, ours))

    def _running(self) -> list[str]:
        return list(json.loads((WORK / "slice.json").read_text())["running"])

    def write(self, relay: int = 0) -> None:
        """Write the hosts' files for the peers: direct addresses, or a relay that listens from this port on."""
        data = {
            "ssh_user": "deploy",
            "ssh_key": str(self.access / "id_ed25519"),
            "ssh_known_hosts_file": str(WORK / "known_hosts"),
            "ssh_strict_host_key_checking": "yes",
        }
        entries, lines = [], []
        for number, host in enumerate(self.hosts):
            name = "127.0.0.1" if relay else host.address
            port = relay + number if relay else 22
            entries.append({"name": host.name, "data": {**data, "ssh_hostname": name, "ssh_port": port}})
            lines.append(f"{host.name} ansible_host={name} ansible_port={port}\n")
        (WORK / "hosts.json").write_text(json.dumps(entries, indent=1))
        options = f"-o UserKnownHostsFile={WORK}/known_hosts -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
        common = (
            "[all:vars]\nansible_user=deploy\n"
            f"ansible_ssh_private_key_file={self.access}/id_ed25519\n"
            f"ansible_ssh_common_args='{options}'\n"
        )
        (WORK / "inventory.ini").write_text("".join(lines) + common)


def up(size: int, relay: int) -> Fleet:
    """Bring up this number of hosts, bare or as an earlier benchmark left them."""
    environment = _environment(size)
    lab.up(environment)
    hosts = tuple(Host(environment, host) for host in environment.hosts)
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "known_hosts").write_text("".join(_known(hosts, relay)))
    fleet = Fleet(hosts, environment.access)
    fleet.everywhere(f"echo LogLevel VERBOSE > {SSHD} && systemctl reload ssh")  # so that it logs sessions
    return fleet


def down() -> None:
    """Remove the hosts and everything that belongs to them."""
    lab.down(_environment(0))


def _environment(size: int) -> LabEnvironment:
    """The hosts of inventory/slice.py for the lab; only pyinfra's processes can read that file itself."""
    settings = {**lab.load("lab").settings, "provider": "lab"}
    found = (LabHost(f"slice{number + 1}", workload.address(number), ("node",)) for number in range(size))
    return LabEnvironment("slice", tuple(found), settings)


def _known(hosts: Sequence[Host], relay: int) -> Iterable[str]:
    for number, host in enumerate(hosts):
        key = " ".join(host.host_key().split()[:2])
        yield f"{host.address} {key}\n[127.0.0.1]:{relay + number} {key}\n"


def _control_group(host: Host) -> Path | None:
    if SYSTEMD_OUTSIDE.exists():
        return Path("/sys/fs/cgroup/system.slice") / host.unit
    return guest.control_group(host.machine)


def reset_script(running: Sequence[str], packages: bool, ours: bool) -> str:
    """Shell script that removes the slice from a host, however much of it exists."""
    units = [*(f"nexus-bench@{name}" for name in running), *workload.PACKAGED_UNITS]
    bare = [name for name in workload.PACKAGES if name not in workload.BASE_PACKAGES]
    lines = [
        "export DEBIAN_FRONTEND=noninteractive",
        *(f"systemctl disable --now {unit} >/dev/null 2>&1" for unit in units),
        f"rm -rf {workload.DIRECTORY} {workload.SITE} {workload.UNIT}",
        'for user in $(sed -n "s/^\\(nexus-[a-z]*\\):.*/\\1/p" /etc/passwd); do userdel $user; done',
    ]
    if packages:
        lines.append(f"apt-get purge -y -q --autoremove {' '.join(bare)} >/dev/null || exit 1")
    if ours:
        drop_ins = [f"/etc/systemd/system/{unit}.service.d" for unit in units]
        lines.append(f"rm -rf {' '.join(drop_ins)} /run/nexus-cos/stamp /var/lib/nexus-cos/manifest/slice.json")
    lines += ["systemctl daemon-reload", "systemctl reset-failed || true"]
    return "\n".join(lines) + "\n"
