"""Runs on a manager of the swarm: the last log lines of services, and why their tasks ended."""

from typing import Any

from nexus.agent.lib import run


def probe(names: list[str], context: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """{service: {"lines": [...]}}: the last task errors, then at most the wanted number of log lines."""
    return {name: {"lines": tasks(name) + log(name, context["lines"])} for name in names}


def tasks(name: str) -> list[str]:
    rows = run(["docker", "service", "ps", "--no-trunc", "--format", "{{.CurrentState}} {{.Error}}", f"nexus_{name}"])
    return [f"task: {row.strip()}" for row in rows.splitlines()[:3]]


def log(name: str, lines: int) -> list[str]:
    try:
        command = f"docker service logs --raw --tail {int(lines)} nexus_{name} 2>&1 | tail -n {int(lines)}"
        return run(["timeout", "10", "/bin/sh", "-c", command]).splitlines()[-lines:]
    except Exception as error:
        return [f"no log: {error}"]
