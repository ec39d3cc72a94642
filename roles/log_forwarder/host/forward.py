"""Runs on every host: sends each line of its journal to the log store, over mutual TLS, with fields to find it by.

    python3 -m roles.log_forwarder.host.forward STORE ADDRESS PORT CA CERTIFICATE KEY DIRECTORY

The journal is the buffer: while the log store is away, lines wait there. A line may arrive twice if the connection
breaks; it never arrives less than once unless the journal itself has dropped it, which is counted and told.
"""

import http.client
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import IO

from nexus.agent.tls import mutual
from roles.log_forwarder.host.export import Entry, entries
from roles.log_forwarder.host.fields import add_fields
from roles.log_forwarder.host.state import Sent

MACHINE = "/etc/machine-id"
BATCH_SECONDS = 1.0
BATCH_ENTRIES = 2000
BATCH_BYTES = 4 * 1024**2
WAITING_ENTRIES = 4000  # read ahead
ANSWER_SECONDS = 60
PAUSE_SECONDS = (1, 2, 4, 8, 15)
ACCEPTED = 202
REFUSED = frozenset({400, 413, 415})  # the content, not the sender
DROPPED = (b"__CURSOR=", b"__SEQNUM")  # of this host's own files; the log store has others


@dataclass(frozen=True)
class Store:
    """Where lines go, and the certificate that the log store wants to see."""

    name: str
    address: str
    port: int
    ca: str
    certificate: str
    key: str


@dataclass
class Batch:
    """Entries that are sent together."""

    entries: list[bytes] = field(default_factory=list)
    size: int = 0
    last: Entry = field(default_factory=Entry)

    @property
    def full(self) -> bool:
        return len(self.entries) >= BATCH_ENTRIES or self.size >= BATCH_BYTES

    def add(self, entry: Entry, data: bytes) -> None:
        self.entries.append(data)
        self.size += len(data)
        self.last = entry


class Forwarder:
    """Reads the journal in one thread and sends in the other."""

    def __init__(self, store: Store, directory: str) -> None:
        self.store, self.sent = store, Sent(directory)
        self.waiting: queue.Queue[Entry | None] = queue.Queue(WAITING_ENTRIES)
        self.connection: http.client.HTTPSConnection | None = None

    def run(self) -> None:
        """Send for ever; ends with an error when the journal cannot be read any longer."""
        with subprocess.Popen(following(self.sent.cursor), stdout=subprocess.PIPE) as process:
            assert process.stdout
            threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()
            while batch := self._batch():
                self._send(batch.entries)
                self._keep(batch)
        raise SystemExit(f"journalctl ended with status {process.returncode}")

    def _read(self, stream: IO[bytes]) -> None:
        for entry in entries(stream):
            self.waiting.put(entry)
        self.waiting.put(None)

    def _batch(self) -> Batch | None:
        """What was written within a moment; None at the end of the journal's stream."""
        entry, found = self.waiting.get(), Batch()
        until = time.monotonic() + BATCH_SECONDS
        while entry:
            self._count(entry)
            found.add(entry, _data(entry))
            if found.full:
                break
            try:
                entry = self.waiting.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
        return found if found.entries else None

    def _count(self, entry: Entry) -> None:
        numbering, number = entry.values.get(b"__SEQNUM_ID", b"").decode(errors="replace"), entry.number(b"__SEQNUM")
        before, last = self.sent.sequence
        if numbering != before:
            last = number - 1
        elif number < last:  # a clock was set back: it was counted as lost when later ones came first
            self.sent.lost = max(0, self.sent.lost - 1)
        self.sent.lost += max(0, number - last - 1)
        self.sent.sequence = [numbering, max(last, number)]
        add_fields(entry)
        if service := entry.values.get(b"SERVICE"):
            level = entry.values.get(b"LEVEL", b"none")
            self.sent.lines[f"{service.decode(errors='replace')} {level.decode(errors='replace')}"] += 1

    def _keep(self, batch: Batch) -> None:
        self.sent.cursor = batch.last.values[b"__CURSOR"].decode(errors="replace")
        self.sent.save()

    def _send(self, data: list[bytes]) -> None:
        """Send until the log store has taken the entries; what it refuses for its content alone is dropped."""
        attempt, told = 0, False
        while True:
            try:
                status, reason = self._post(b"".join(data))
            except (OSError, http.client.HTTPException) as error:
                status, reason = 0, str(error) or type(error).__name__
            if status == ACCEPTED:
                if told:
                    print(f"{self.store.name} takes log lines again", flush=True)
                return
            if status in REFUSED:
                self._divide(data, reason)
                return
            if attempt and not told:  # a connection that was merely too old needs no message
                print(f"{self.store.name} takes no log lines, they wait in the journal: {reason}", flush=True)
                told = True
            time.sleep(PAUSE_SECONDS[min(attempt, len(PAUSE_SECONDS) - 1)])
            attempt += 1

    def _divide(self, data: list[bytes], reason: str) -> None:
        if len(data) > 1:
            half = len(data) // 2
            self._send(data[:half])
            self._send(data[half:])
        else:
            self.sent.lost += 1
            print(f"{self.store.name} refused a log line of {len(data[0])} bytes: {reason}", flush=True)

    def _post(self, body: bytes) -> tuple[int, str]:
        """Status and words of an answer. OSError or HTTPException where there is none; the next one connects again."""
        try:
            connection = self.connection = self.connection or self._connect()
            headers = {"Content-Type": "application/vnd.fdo.journal"}
            connection.request("POST", "/upload", body, headers)
            answer = connection.getresponse()
            return answer.status, f"{answer.status} {answer.read(500).decode(errors='replace').strip()}"
        except BaseException:
            if self.connection:
                self.connection.close()
            self.connection = None
            raise

    def _connect(self) -> http.client.HTTPSConnection:
        """A new connection, with the certificate of now: it is renewed while this program runs."""
        tls = mutual(self.store.ca, self.store.certificate, self.store.key)
        return http.client.HTTPSConnection(self.store.address, self.store.port, timeout=ANSWER_SECONDS, context=tls)


def following(cursor: str) -> list[str]:
    """A command that prints this host's journal after a cursor, and what is added to it.

    With --follow alone it would leave out what was written before the host restarted. With --merge it shows that too,
    and the journals of other hosts, but for the directory.
    """
    with open(MACHINE, encoding="utf-8", errors="replace") as source:
        directory = f"/var/log/journal/{source.read().strip()}"
    words = ["--follow", "--merge", f"--directory={directory}", "--lines=all", "--output=export", "--quiet"]
    return ["journalctl", *words, *([f"--after-cursor={cursor}"] if cursor else [])]


def _data(entry: Entry) -> bytes:
    entry.parts = [part for part in entry.parts if not part.startswith(DROPPED)]
    return entry.data()


def main(words: list[str]) -> None:
    """Start with the words of the unit."""
    name, address, port, *files, directory = words
    Forwarder(Store(name, address, int(port), *files), directory).run()


if __name__ == "__main__":
    main(sys.argv[1:])
