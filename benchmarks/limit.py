"""The limit: only the probe's own remote command, over connections that are open already.

    python -m benchmarks.limit

Sends the library's probe to all hosts of hosts.json in WORK at once, through OpenSSH's own client. Prints one line of
JSON, the median of several rounds. The time to open the connections does not count.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks import WORK
from benchmarks.slice import plan
from nexus import catalogue
from nexus.plan import diff
from nexus.transport import protocol

ROUNDS = 7
SUDO = "sudo -H -n sh -c '" + protocol.COMMAND.replace("'", "'\"'\"'") + "'"


def question() -> bytes:
    """Standard input of the probe, as the library sends it."""
    environment: Any = SimpleNamespace(catalogue=catalogue.load())
    desired = diff.complete(plan.plan(environment, environment))
    return "".join(f"{line}\n" for line in protocol.lines(diff.question([desired]))).encode()


def _ssh(data: dict[str, Any], control: Path) -> list[str]:
    options = {
        "ControlPath": f"{control}/%C",
        "UserKnownHostsFile": data["ssh_known_hosts_file"],
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
        "LogLevel": "ERROR",
    }
    words = ["ssh", "-F", "none", "-i", data["ssh_key"], "-p", str(data["ssh_port"]), "-l", data["ssh_user"]]
    return [*words, *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]


async def _run(words: list[str], text: bytes = b"") -> bytes:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe)
    out, _ = await process.communicate(text)
    if process.returncode:
        raise RuntimeError(f"{' '.join(words[-2:])[:80]} ended with {process.returncode}")
    return out


async def measure() -> dict[str, Any]:
    """Median wall time and CPU of one probe of all hosts."""
    hosts = [host["data"] for host in json.loads((WORK / "hosts.json").read_text())]
    text = question()
    with tempfile.TemporaryDirectory() as directory:
        clients = [(_ssh(data, Path(directory)), data["ssh_hostname"]) for data in hosts]
        masters = [[*ssh, "-fNM", "-o", "ControlPersist=60", name] for ssh, name in clients]
        await asyncio.gather(*(asyncio.create_subprocess_exec(*words) for words in masters))
        await asyncio.gather(*(_ready([*ssh, "-O", "check", name]) for ssh, name in clients))
        walls, cpus = [], []
        for _ in range(ROUNDS):
            began, before = time.monotonic(), _cpu()
            answers = await asyncio.gather(*(_run([*ssh, name, SUDO], text) for ssh, name in clients))
            walls.append(time.monotonic() - began)
            cpus.append(_cpu() - before)
            assert all(json.loads(answer)["paths"] for answer in answers)
        await asyncio.gather(*(_run([*ssh, "-O", "exit", name]) for ssh, name in clients))
    return {"wall": statistics.median(walls), "cpu": statistics.median(cpus), "rounds": ROUNDS}


async def _ready(words: list[str]) -> None:
    deadline = time.monotonic() + 60
    while True:
        process = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        if not await process.wait():
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"no connection: {' '.join(words)}")
        await asyncio.sleep(0.1)


def _cpu() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure())))
