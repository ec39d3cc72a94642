"""The audit record on its host: one JSON object per line, each with the hash of the line before. Runs on the host.

There is one file per month; the chain continues from file to file. If the file system supports it, files are
append-only, even for root.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from typing import Any

from nexus.agent import metrics
from nexus.agent.lib import STATE, RemoteError, held

Item = dict[str, Any]
DIRECTORY = f"{STATE}/record"
TURN = "/run/nexus-cos/record.turn"
NEWEST = 2  # monthly files: a run may have begun in the month before the last line
SET_FLAGS, GET_FLAGS, APPEND_ONLY = 0x40086602, 0x80086601, 0x20  # FS_IOC_SETFLAGS and its like, FS_APPEND_FL


def begin(context: Item) -> Item:
    """Record that a run begins, with the user that it logged in as on this host.

    Runs that never ended are recorded as dead, since this run has their lock now. With context["after"] nothing is
    recorded unless the newest line is of that time. Returns {"last": time of the newest line before, 0 if there is
    none, "dead": lines of those runs}.
    """
    with held(TURN):
        last = max((line["time"] for _, _, text in _lines(NEWEST) if (line := _parsed(text))), default=0.0)
        if context.get("after", last) != last:
            return {"last": last, "dead": []}
        dead = [line for line in _open_runs() if line["run"] != context["line"]["run"]]
        for line in dead:
            append({"event": "death", "run": line["run"], "time": time.time()})
        append({**context["line"], "login": os.environ.get("SUDO_USER", "root")})
        _expose(context)
    return {"last": last, "dead": dead}


def end(context: Item) -> None:
    """Record how a run ended."""
    with held(TURN):
        append(context["line"])
        _expose(context)


def _expose(context: Item) -> None:
    """Write how the last run went for Prometheus. The record is what counts: this may fail."""
    line, directory = context["line"], context.get("metrics")
    if not directory or not os.path.isdir(directory):
        return
    values = {
        "nexus_run_open": line["event"] == "begin",
        "nexus_run_complete": line.get("outcome", "complete") == "complete",
        "nexus_run_timestamp_seconds": line["time"],
    }
    with contextlib.suppress(OSError):
        metrics.write(f"{directory}/nexus_run.prom", ((name, {}, float(value)) for name, value in values.items()))


def adopt(context: Item) -> None:
    """Append lines of another host's record, in context["lines"], as a part of the chain here."""
    with held(TURN):
        for line in context["lines"]:
            append({key: value for key, value in line.items() if key != "previous"})


def read(context: Item) -> Item:
    """{"lines": those since a time, "broken": places of lines that were altered, as FILE:LINE}."""
    found, broken, previous = [], [], ""
    with held(TURN):
        stored = list(_lines())
    for name, number, text in stored:
        line = _parsed(text)
        if line is None or line.get("previous") != previous:
            broken.append(f"{name}:{number}")
        previous = hashlib.sha256(text.encode()).hexdigest()
        if line and line["time"] >= context["since"]:
            found.append(line)
    return {"lines": found, "broken": broken}


def append(line: Item) -> None:
    """Append one line, and sync it to disk before returning."""
    os.makedirs(DIRECTORY, mode=0o700, exist_ok=True)
    last = [text for _, _, text in _lines(NEWEST)][-1:]
    line = {"previous": hashlib.sha256(last[0].encode()).hexdigest() if last else "", **line}
    path = f"{DIRECTORY}/{time.strftime('%Y-%m', time.gmtime())}.jsonl"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        _append_only(handle)
        torn = _torn(path)  # half a line after a power loss: it stays, and is reported as broken
        os.write(handle, ("\n" * torn + json.dumps(line, sort_keys=True) + "\n").encode())
        os.fsync(handle)
    except OSError as error:
        raise RemoteError(f"{path}: a line could not be written: {error.strerror}") from None
    finally:
        os.close(handle)


def _torn(path: str) -> bool:
    with open(path, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        if not size:
            return False
        stream.seek(-1, os.SEEK_END)
        return stream.read() != b"\n"


def _append_only(handle: int) -> None:
    with contextlib.suppress(OSError):  # not every file system supports it, not every container permits it
        flags = bytearray(8)
        fcntl.ioctl(handle, GET_FLAGS, flags)
        known = int.from_bytes(flags[:4], "little")
        if not known & APPEND_ONLY:
            fcntl.ioctl(handle, SET_FLAGS, (known | APPEND_ONLY).to_bytes(8, "little"))


def _open_runs() -> list[Item]:
    """Runs that began and have no other line. Every run marks earlier ones as dead, so none is old."""
    found: dict[str, Item] = {}
    for _, _, text in _lines(NEWEST):
        if line := _parsed(text):
            if line["event"] == "begin":
                found[line["run"]] = line
            else:
                found.pop(line["run"], None)
    return list(found.values())


def _lines(newest: int = 0) -> Iterator[tuple[str, int, str]]:
    """(file, number, text) of every line, or of those in the newest files, oldest first."""
    for name in sorted(os.listdir(DIRECTORY))[-newest:] if os.path.isdir(DIRECTORY) else []:
        with open(f"{DIRECTORY}/{name}", errors="replace") as stream:
            for number, text in enumerate(stream, 1):
                yield name, number, text.rstrip("\n")


def _parsed(text: str) -> Item | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and {"event", "run", "time"} <= line.keys() else None
