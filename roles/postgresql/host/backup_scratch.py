"""A scratch PostgreSQL restored from the bucket: no port, no archive, removed afterwards."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping

from nexus.agent.lib import RemoteError, account, run
from nexus.agent.wait import tries
from roles.backup.host.vault import Config
from roles.postgresql.host.backup_pgbackrest import pgbackrest
from roles.postgresql.host.backup_session import Session

FOLDER = "/var/lib/postgresql/restore"
PORT = 54320
START_SECONDS = 600
REPLAY_SECONDS = 4 * 3600
STOP_SECONDS = 120
SMALL = {  # the real server needs the memory; recovery demands the rest as it was saved
    "listen_addresses": "",
    "shared_buffers": "64MB",
    "ssl": "off",
    "archive_mode": "off",
    "synchronous_standby_names": "",
    "primary_conninfo": "",
    "primary_slot_name": "",
    "hot_standby": "off",  # with it the replay waits for ever where the log raises max_connections
    "fsync": "off",
    "log_destination": "stderr",
    "logging_collector": "off",
    "wal_keep_size": "0",
}


class Scratch:
    """A restored copy in a directory of its own."""

    def __init__(self, config: Config, name: str) -> None:
        self.config, self.data = config, f"{FOLDER}/{name}/data"
        self.socket = os.path.dirname(self.data)
        self.log = f"{self.socket}/log"
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self, bytes_needed: float) -> None:
        """An empty directory; RemoteError where the disk has no room for the copy."""
        self.remove()
        os.makedirs(self.data, mode=0o700)
        for directory in (FOLDER, self.socket, self.data):
            shutil.chown(directory, "postgres", "postgres")
            os.chmod(directory, 0o700)
        free = free_bytes(self.data)
        if free < bytes_needed:
            raise RemoteError(
                f"a copy needs {bytes_needed / 1e9:.1f} GB, and {FOLDER} has {free / 1e9:.1f} GB left: give it a disk "
                "of its own, or run this on another host"
            )

    def restore(self, words: list[str]) -> str:
        """Fetch a backup into the directory; RemoteError names the file that is damaged."""
        return pgbackrest(self.config, [f"--pg1-path={self.data}", *words, "restore"])

    def start(self, settings: Mapping[str, str] | None = None, point: str = "") -> None:
        """Start the copy's server, which then replays the log, up to a named point of it if one is given.

        Other settings than the saved ones win. The point goes into a file: a server that became primary as a replica
        has empty targets of the other kinds among its saved settings, and PostgreSQL takes them for a second target
        when the first is in its arguments.
        """
        if point:
            with open(f"{self.data}/postgresql.auto.conf", "a") as stream:
                stream.write(f"recovery_target_name = '{point}'\n")
        rules = f"{self.socket}/hba.conf"
        with open(rules, "w") as stream:
            stream.write("local all postgres peer\n")
        os.chmod(rules, 0o644)
        given = {**SMALL, "port": str(PORT), "unix_socket_directories": self.socket, "hba_file": rules}
        given |= settings or {}
        argv = [f"{self.config['postgresql']['programs']}/postgres", "-D", self.data]
        for name, value in given.items():
            argv += ["-c", f"{name}={value}"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **account("postgres")
            )

    def wait(self, question: str, answer: str, seconds: float = REPLAY_SECONDS) -> None:
        """Until the server answers so; RemoteError with the end of its log when it ends, or never does."""
        for _ in tries(seconds, pause=0.3):
            with contextlib.suppress(RemoteError), Session(self.socket, PORT, "postgres") as session:
                if session(question) == [answer]:
                    return
            if self.process is None or self.process.poll() is not None:
                raise RemoteError(f"the restored copy ended: {self.said()}")
        raise RemoteError(f"the restored copy is not there after {seconds:.0f} s: {self.said()}")

    def wait_paused(self) -> None:
        """Until the log is replayed up to the target and no further."""
        self.wait("select pg_get_wal_replay_pause_state()", "paused")

    def wait_promoted(self) -> None:
        """Until the copy is a server that can be written to."""
        self.wait("select pg_is_in_recovery()", "f")

    def said(self) -> str:
        """The end of the server's log on one line."""
        with contextlib.suppress(OSError), open(self.log, errors="replace") as stream:
            return " | ".join(line.strip() for line in stream.readlines()[-8:])
        return "it left no log"

    def stop(self) -> None:
        """End the server in order, what it knows on disk."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def remove(self) -> None:
        """Take the copy away."""
        self.stop()
        _end_leftover(self.data)
        shutil.rmtree(self.socket, ignore_errors=True)


@contextlib.contextmanager
def scratch(config: Config, name: str, bytes_needed: float) -> Iterator[Scratch]:
    """A copy for as long as the block lasts; what a killed run left is taken away first."""
    copy = Scratch(config, name)
    copy.prepare(bytes_needed)
    try:
        yield copy
    finally:
        copy.remove()


def _end_leftover(data: str) -> None:
    """End a server that a killed run left in a directory of ours."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open(f"{data}/postmaster.pid", errors="replace") as stream:
            process = int(stream.readline())
        with open(f"/proc/{process}/cmdline", "rb") as stream:
            if data.encode() in stream.read().split(b"\0"):
                os.kill(process, signal.SIGQUIT)
                time.sleep(2)


def free_bytes(directory: str) -> int:
    """Free space on the file system of a directory."""
    return int(run(["df", "--output=avail", "-B1", directory]).split()[1])
