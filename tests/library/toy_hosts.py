"""Hosts for a project of toy roles: SSH servers on loopback, which run commands here in separate file systems.

A host is a mount namespace: only that host sees its writes to /etc, /var/lib and /run.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko

from tests.ssh_server import SshServer

# An upper layer cannot be on an overlay, so it is in memory; the shell lives as long as the host.
ENTER = """
set -e
mount --make-rprivate /
mount -t tmpfs none {place}
mkdir {place}/run
mount --bind {place}/run /run
for folder in etc var/lib; do
    name=$(echo $folder | tr / _)
    mkdir -p {place}/$name/upper {place}/$name/work
    mount -t overlay none -o lowerdir=/$folder,upperdir={place}/$name/upper,workdir={place}/$name/work /$folder
done
echo ready
cat
"""


class Host(SshServer):
    """One host, and the SSH server that leads to it."""

    def __init__(self, name: str, place: Path, user_key: paramiko.PKey) -> None:
        self.name = name
        place.mkdir()
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", ENTER.format(place=place)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert self._holder.stdout
        said = self._holder.stdout.readline()
        if said != "ready\n":
            raise RuntimeError(f"no host can be made on this machine: {said}")
        super().__init__(user_key)

    def close(self) -> None:
        """Switch the host off."""
        super().close()
        assert self._holder.stdin
        self._holder.stdin.close()
        self._holder.wait(10)

    def run(self, command: str) -> str:
        """The output of a command on the host."""
        done = subprocess.run(self._within(command), capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr

    def _within(self, command: str) -> list[str]:
        return ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "sh", "-c", command]

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._carry_out, args=(channel, command.decode()), daemon=True).start()
        return True

    def _carry_out(self, channel: paramiko.Channel, command: str) -> None:
        process = subprocess.Popen(
            self._within(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        threading.Thread(target=_feed, args=(channel, process), daemon=True).start()
        pumps = [
            threading.Thread(target=_pump, args=(stream, send), daemon=True)
            for stream, send in ((process.stdout, channel.sendall), (process.stderr, channel.sendall_stderr))
        ]
        for pump in pumps:
            pump.start()
        for pump in pumps:
            pump.join()
        channel.send_exit_status(process.wait())
        channel.close()


def _feed(channel: paramiko.Channel, process: subprocess.Popen[bytes]) -> None:
    """Forward the client's input until its end, or until the process stops reading."""
    assert process.stdin
    try:
        while data := channel.recv(65536):
            process.stdin.write(data)
        process.stdin.close()
    except OSError:
        return


def _pump(stream: Any, send: Any) -> None:
    try:
        while data := stream.read(65536):
            send(data)
    except OSError:
        return


@contextmanager
def hosts(directory: Path, *names: str) -> Iterator[dict[str, Host]]:
    """Hosts of these names, with the key of their user in `directory`."""
    key = paramiko.ECDSAKey.generate()
    key.write_private_key_file(str(directory / "id_ecdsa"))
    made = {name: Host(name, directory / name, key) for name in names}
    lines = [f"[127.0.0.1]:{host.port} {host.key.get_name()} {host.key.get_base64()}\n" for host in made.values()]
    (directory / "known_hosts").write_text("".join(lines))
    try:
        yield made
    finally:
        for host in made.values():
            host.close()


def data(directory: Path, made: dict[str, Host]) -> dict[str, dict[str, Any]]:
    """The hosts' data for an inventory."""
    return {
        name: {
            "address": f"127.0.0.{number}",
            "ssh_hostname": "127.0.0.1",
            "ssh_port": host.port,
            "ssh_user": "root",
            "ssh_key": str(directory / "id_ecdsa"),
            "ssh_known_hosts_file": str(directory / "known_hosts"),
            "ssh_strict_host_key_checking": "yes",
            "ssh_config_file": "none",
            "ssh_allow_agent": False,
            "ssh_look_for_keys": False,
        }
        for number, (name, host) in enumerate(made.items(), 1)
    }
