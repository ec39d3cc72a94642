"""Runs on a host: the journal of one of its units, or on a manager the log of a service from all nodes."""

import time
from typing import Any

from nexus.agent.lib import run
from roles.docker.host.client import Docker
from roles.service.host.rollout import STACK

LINE_CHARACTERS = 2000
MOST = 10_000  # lines that are searched, whatever number is wanted


def probe(names: list[str], context: dict[str, Any]) -> dict[str, Any]:
    """{name: {"lines": [...], "more": whether lines were left out}} of services or units."""
    read = unit if context["about"] == "unit" else service
    return {name: bounded(read(name, context), context) for name in names}


def bounded(lines: list[str], context: dict[str, Any]) -> dict[str, Any]:
    wanted = [line[:LINE_CHARACTERS] for line in lines if context["grep"] in line]
    return {"lines": wanted[-context["lines"] :], "more": len(wanted) > context["lines"]}


def unit(name: str, context: dict[str, Any]) -> list[str]:
    argv = ["journalctl", "--no-pager", "-q", "-o", "short-iso", "-n", str(MOST), "-u", name]
    return run([*argv, "--since", f"@{context['since']}"], timeout=60).splitlines()


def service(name: str, context: dict[str, Any]) -> list[str]:
    """Lines with time and task, oldest first."""
    query = f"stdout=true&stderr=true&timestamps=true&details=true&tail={MOST}&since={context['since']}"
    status, stream = Docker(timeout=60).raw("GET", f"/services/{STACK}_{name}/logs?{query}")
    if status != 200:
        return [f"{time.strftime('%FT%TZ')} its log could not be read: {stream.decode(errors='replace')[:200]}"]
    return sorted(readable(line) for line in frames(stream))


def frames(stream: bytes) -> list[str]:
    """Lines in Docker's frames: kind, three zeros, length, content."""
    text, position = b"", 0
    while position + 8 <= len(stream):
        length = int.from_bytes(stream[position + 4 : position + 8], "big")
        text += stream[position + 8 : position + 8 + length]
        position += 8 + length
    return text.decode(errors="replace").splitlines()


def readable(line: str) -> str:
    """The line "TIME NODE-AND-TASK-IDS text" with only the task."""
    when, _, rest = line.partition(" ")
    details, _, text = rest.partition(" ")
    parts = dict(part.split("=", 1) for part in details.split(",") if "=" in part)
    task = parts.get("com.docker.swarm.task.id", "")[:12]
    return f"{when[:23]} {task} {text}" if task else line
