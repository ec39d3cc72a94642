"""A systemd unit, and the drop-in that stamps the files that it was started with."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nexus.plan.comparison import Answer, Differences, Place, Seen, Step
from nexus.plan.item import Item
from nexus.plan.kinds.file import File
from nexus.plan.kinds.path import UNIT_FILES, AtPath
from nexus.plan.unit import ON, SystemdUnit

DROP_IN = "50-nexus-cos.conf"
SECTIONS = {"service": "Service", "socket": "Socket"}  # kinds of units that can run a command before they start
TOLD = ("name", "restart_on", "reload_on", "reload_check", "restart_check", "ready_check")


@dataclass(frozen=True)
class Unit(SystemdUnit, place=Place.UNITS, removable=True):
    """A unit, made to run by the gentlest means that works; SystemdUnit explains its fields."""

    @property
    def started(self) -> str:
        """The service that a timer starts, empty for any other unit."""
        return f"{self.name.removesuffix('.timer')}.service" if self.name.endswith(".timer") else ""

    def has_failed(self, answer: Answer) -> bool:
        """Whether its service failed when this timer last started it: reported, and left to its next start."""
        service = answer["units"].get(self.started, {}) if self.running and self.started else {}
        return bool(service.get("ActiveState") == "failed")

    def ours(self, present: Any) -> bool | None:
        return None if self.masked else present.get("UnitFileState") != "enabled"

    def question(self) -> Mapping[type[Item], Iterable[str]]:
        return {Unit: [self.name, *([self.started] if self.started else [])], AtPath: self.reads}

    def drop_in(self) -> File:
        """Stamp the hashes of the files that the unit reads, just before it starts; ValueError if its kind cannot.

        A section that systemd ignores tells programs on the host how the unit takes its files: the unit as JSON.
        """
        name = self.name if "." in self.name else f"{self.name}.service"
        section = SECTIONS.get(name.rpartition(".")[2])
        if not section:
            raise ValueError(f"unit {self.name} runs no command before it starts: it cannot follow changes of files")
        paths = " ".join(sorted(self.reads))
        stamp = f"mkdir -p /run/nexus-cos/stamp && sha256sum {paths} >/run/nexus-cos/stamp/{self.name} 2>/dev/null"
        said = json.dumps({name: value for name, value in asdict(self).items() if name in TOLD})
        content = f"[{section}]\nExecStartPre=-+/bin/sh -c '{stamp}'\n\n[X-Nexus-COS]\nUnit={said}\n"
        return File(f"{UNIT_FILES}{name}.d/{DROP_IN}", content)

    def compare(self, found: Differences, seen: Seen) -> Step | None:
        if self.has_failed(seen.answer):
            why = f"see journalctl -u {self.started}"
            found.notes.append(f"{self.started} failed when its timer last started it: {why}")
        how = self.differences(seen)
        if self.reads and not how and self.drop_in() in found.files:
            how = ["drop-in changed"]
        if not how:
            return None
        found.add(self.title, ", ".join(how))
        return self.request(self.present(seen.answer))

    def request(self, present: Any) -> Step:
        on = present.get("UnitFileState") in ON
        unread = present.get("NeedDaemonReload") == "yes"
        return asdict(self) | {"enable": self.enabled and not on, "disable": not self.enabled and on, "unread": unread}

    @classmethod
    def steps(cls, requests: Sequence[Step], found: Differences) -> Sequence[Step]:
        """With `reread`, systemd rereads its unit files first: once for the files and units of a role."""
        reread = found.unit_files or any(request["unread"] for request in requests)
        found.unit_files = False
        return [{**step, "reread": reread} for step in super().steps(requests, found)]

    @classmethod
    def reread(cls, found: Differences) -> Sequence[Step]:
        """Steps that make systemd reread the unit files written so far, if any."""
        return cls.steps([], found) if found.unit_files else []

    def obstacles(self, answer: Answer, host: str) -> Iterator[str]:
        if self.is_masked(answer):
            yield (
                f"unit {self.name} is masked and cannot be started or enabled: if it should no longer be masked, run "
                f"`systemctl unmask {self.name}` on {host}, then rerun"
            )
