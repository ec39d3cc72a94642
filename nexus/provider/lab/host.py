"""One lab host: its root (an overlay over the base), its processes (nspawn and what restarts it), its state.

Processes are looked up every time and never stored, so that no record can be stale.
"""

import hashlib
import json
import os
import secrets
import shlex
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nexus.provider.lab import defaults, guest
from nexus.provider.lab.environment import LabEnvironment, LabHost
from nexus.provider.lab.machine import (
    Process,
    descendants,
    kill,
    mounts_below,
    processes,
    remove_tree,
    run,
    unmount_below,
    wait_until,
)
from nexus.provider.lab.network import remove_interface
from nexus.workstation import write_whole

SYSTEMD_OUTSIDE = Path("/run/systemd/system")


@dataclass(frozen=True)
class Running:
    """A running host's processes: its restarter (None under systemd), nspawn, and the host's own PID 1."""

    keeper: int | None
    nspawn: int | None
    init: int | None

    @property
    def whole(self) -> bool:
        """Whether the host runs and would come back if it rebooted itself."""
        return self.nspawn is not None and (self.keeper is not None or SYSTEMD_OUTSIDE.exists())


class Host:
    """A host of an environment on this machine."""

    def __init__(self, environment: LabEnvironment, host: LabHost) -> None:
        self.name, self.address = host.name, host.address
        self.environment = environment
        self.directory = environment.directory / host.name
        label = f"{environment.name}-{host.name}"
        # The kernel's limit for interface names is 15 characters, "vb-" included.
        self.machine = label if len(label) <= 12 else "nx" + hashlib.sha256(label.encode()).hexdigest()[:8]
        self.interface = f"vb-{self.machine}"
        self.unit = f"nexus-lab-{self.machine}.service"

    @property
    def root(self) -> Path:
        """Where the host's merged root is mounted."""
        return self.directory / "root"

    @property
    def upper(self) -> Path:
        """What the host has changed over the base."""
        return self.directory / "upper"

    def spec(self) -> dict[str, str]:
        """What the host was created with; empty if its creation never finished."""
        file = self.directory / "spec.json"
        return dict(json.loads(file.read_text())) if file.is_file() else {}

    def host_key(self) -> str:
        """The host's public SSH key."""
        return (self.upper / "etc/ssh/ssh_host_ed25519_key.pub").read_text()

    def running(self, table: Sequence[Process] | None = None) -> Running | None:
        """The host's processes in the machine's process table, or None if it does not run."""
        table = processes() if table is None else table
        keep, root = ("/bin/sh", str(self.directory / "keep")), f"--directory={self.root}"
        keeper = next((p.pid for p in table if p.command == keep), None)
        spawns = [p for p in table if p.command[0].endswith("systemd-nspawn") and root in p.command]
        pids = {p.pid for p in spawns}
        outer = next((p.pid for p in spawns if p.parent not in pids), None)
        if keeper is None and outer is None:
            return None
        inits = [p.pid for p in table if p.parent == outer] if outer else []
        return Running(keeper, outer, inits[0] if inits else None)

    def ended(self) -> bool:
        """Whether the host does not run and nothing is about to start it."""
        if self.running() is not None:
            return False
        if not SYSTEMD_OUTSIDE.exists():
            return True
        return run("systemctl", "is-active", self.unit, check=False).stdout.strip() not in ("active", "activating")

    def make(self, base: Path, mtu: int, authorised_key: str) -> None:
        """Create a new root, with everything that tells this host from its siblings. Replaces an existing one."""
        remove_tree(self.directory)
        for name in ("upper", "work", "root", "docker"):
            (self.directory / name).mkdir(parents=True)
        self.docker_directory.chmod(0o710)
        guest.write_identity(self.upper, self.name, self.address, mtu, authorised_key)
        spec = {"base": base.name, "mtu": str(mtu), "address": self.address, "mark": secrets.token_hex(4)}
        write_whole(self.directory / "spec.json", json.dumps(spec))

    @property
    def docker_directory(self) -> Path:
        """/var/lib/docker of the host: a plain directory, since Docker's overlays cannot be on an overlay."""
        return self.directory / "docker"

    def start(self) -> None:
        """Mount the root and boot the host; does not wait for it to answer."""
        spec = self.spec()
        if not mounts_below(self.root):
            base = self.environment.machine_directory / "base" / spec["base"]
            options = f"lowerdir={base},upperdir={self.upper},workdir={self.directory / 'work'}"
            run("mount", "-t", "overlay", f"nexus-lab-{self.machine}", "-o", options, str(self.root))
        guest.write_resolver(self.root)
        self._remove_traces()
        boot, keep = self.boot_scripts(int(spec["mtu"]))
        (self.directory / "boot").write_text(boot)
        (self.directory / "keep").write_text(keep)
        if SYSTEMD_OUTSIDE.exists():
            self._start_with_systemd()
        else:
            self._start_detached()

    def boot_scripts(self, mtu: int) -> tuple[str, str]:
        """Shell scripts (boot once, keep booting), so that a host needs no checkout and no virtual environment."""
        command = [
            "systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--link-journal=no",
            "--resolv-conf=off", "--timezone=off", "--console=read-only",
            f"--machine={self.machine}", f"--hostname={self.name}", f"--directory={self.root}",
            f"--network-bridge={defaults.BRIDGE}", f"--bind={self.docker_directory}:/var/lib/docker",
            *guest.DOCKER_FLAGS,
        ]  # fmt: skip
        about = {"name": self.name, "environment": self.environment.name, "reboot": guest.REBOOT_STATUS}
        group = guest.control_group(self.machine)
        about["control_group"] = guest.CONTROL_GROUP.format(group=shlex.quote(str(group))) if group else ""
        boot = guest.BOOT.format(**about, interface=self.interface, mtu=mtu, command=shlex.join(command))
        return boot, guest.KEEP.format(**about, boot=shlex.quote(str(self.directory / "boot")))

    def _start_detached(self) -> None:
        with (self.directory / "console.log").open("w") as log:
            subprocess.Popen(
                ["/bin/sh", str(self.directory / "keep")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True,
            )  # fmt: skip

    def _start_with_systemd(self) -> None:
        """Start as systemd's own systemd-nspawn@.service does; the machine's systemd restarts the host."""
        run("systemctl", "reset-failed", self.unit, check=False)
        (self.directory / "console.log").unlink(missing_ok=True)
        properties = (
            *("Type=exec", "Delegate=yes", "KillMode=mixed", "TasksMax=infinity", "TimeoutStopSec=90"),
            *("RestartForceExitStatus=133", "SuccessExitStatus=133", "StartLimitIntervalSec=0"),
            *(f"StandardOutput=append:{self.directory / 'console.log'}", "StandardError=inherit"),
        )
        options = [word for p in properties for word in ("--property", p)]
        run(
            "systemd-run",
            "--collect",
            "--quiet",
            f"--unit={self.unit}",
            *options,
            "/bin/sh",
            str(self.directory / "boot"),
        )

    def poweroff(self, seconds: float = 90) -> None:
        """Shut the host down cleanly, like a power button; kill it after `seconds`."""
        alive = self.running()
        if alive and alive.nspawn:
            os.kill(alive.nspawn, 15)
            wait_until(lambda: self.running() is None, seconds, pause=0.1)
        self.kill()

    def kill(self) -> None:
        """Stop the whole host at once, like a power cut."""
        table = processes()
        alive = self.running(table)
        if alive:
            roots = [pid for pid in (alive.keeper, alive.nspawn) if pid]
            below = [pid for root in roots for pid in descendants(root, table)]
            kill([*roots, *below])
        if SYSTEMD_OUTSIDE.exists():
            run("systemctl", "stop", self.unit, check=False)
        self._remove_traces()
        guest.remove_control_group(self.machine)

    def _remove_traces(self) -> None:
        """Remove what a killed nspawn leaves on the machine, since it would break the next start."""
        remove_interface(self.interface)
        export = Path("/run/systemd/nspawn/unix-export", self.machine)  # since systemd 256
        if export.exists():
            unmount_below(export)
            export.rmdir()

    def remove(self) -> None:
        """Remove the host and everything that belongs to it from the machine."""
        self.kill()
        remove_tree(self.directory)

    def answers(self, seconds: float = 1.0) -> bool:
        """Whether sshd answers."""
        try:
            with socket.create_connection((self.address, 22), timeout=seconds) as connection:
                connection.settimeout(seconds)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def system_state(self) -> str:
        """The answer of `systemctl is-system-running` over SSH, or the error."""
        config = self.environment.access / "ssh_config"
        options = ("-F", str(config), "-o", "BatchMode=yes", "-o", "ConnectTimeout=5")
        done = run("ssh", *options, self.name, "systemctl is-system-running", check=False)
        return done.stdout.strip() or done.stderr.strip()
