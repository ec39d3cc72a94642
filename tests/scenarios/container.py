"""Programs in the containers of services, run as the service runs: as its user, with only its environment."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from control import Control

SECONDS = 300  # for all programs of one host, which run one after the other


@dataclass
class Containers:
    """The containers of an environment. `archive` is a gzipped tar, which is unpacked in /mnt for the programs."""

    control: Control
    archive: bytes

    @cached_property
    def hosts(self) -> dict[str, str]:
        """For each service, a host with a container of it."""
        ask = "sudo docker ps --format '{{.Label \"nexus.service\"}}'"
        found = self.control.everywhere(lambda host: self.control.ssh(host, ask), self.control.group("app"))
        return {service: host for host, text in found.items() for service in text.split()}

    def run(
        self, commands: Mapping[str, Sequence[str]], environment: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Standard output of each service's command in its container; fails with the errors of failed commands."""
        by_host: dict[str, list[str]] = defaultdict(list)
        for service in commands:
            by_host[self.hosts[service]].append(service)
        archive = base64.b64encode(self.archive).decode()

        def ask(host: str) -> list[dict[str, Any]]:
            programs = [
                {"service": service, "command": commands[service], "environment": environment}
                for service in by_host[host]
            ]
            asked = {"archive": archive, "programs": programs}
            found: list[dict[str, Any]] = self.control.ask(host, "in_container.py", asked, seconds=SECONDS)
            return found

        answers = {
            service: answer
            for host, found in self.control.everywhere(ask, list(by_host)).items()
            for service, answer in zip(by_host[host], found, strict=True)
        }
        assert {service: answer["stderr"] for service, answer in answers.items() if answer["status"]} == {}
        return {service: answer["stdout"] for service, answer in answers.items()}

    def environment(self, service: str) -> dict[str, str]:
        """The environment variables of the process in a container of the service."""
        entries = self.run({service: ["env", "-0"]})[service].split("\0")
        return dict(entry.split("=", 1) for entry in entries if entry)
