"""What is remembered of a service's releases, and which one a rollback means. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.service.released import Released, key, released

Kept = dict[str, Any]


@dataclass(frozen=True)
class Running:
    """A service as the swarm has it: image reference and name of its configuration."""

    image: str
    config: str

    def released(self) -> Released:
        """What that is as a release, with its configuration held fast."""
        name, _, digest = self.image.partition("@")
        return Released(name.rsplit(":", 1)[-1], digest, self.config, pinned=True)


def same(one: Released, other: Released) -> bool:
    """Whether two are the same release: by image and number, whatever their configuration."""
    return (one.release, one.digest) == (other.release, other.digest)


def history(record: Mapping[str, Any]) -> list[Released]:
    """Releases before the current one, newest first."""
    return [Released.of(value) for value in record.get("history", ())]


def begun(record: Mapping[str, Any], running: Released) -> Kept:
    """The record while a release is under way: what runs now stays what is planned, until the gates have passed."""
    current = Released.of(record["current"]) if record else running
    if same(current, running):  # as it is on the hosts: its configuration may be newer than its release
        current = replace(current, config=running.config, pinned=True)
    return {**record, "current": current.value()}


def committed(record: Mapping[str, Any], now: Released, keep: int) -> Kept:
    """The record once `now` has passed its gates. What ran before becomes history."""
    before = [replace(Released.of(record["current"]), pinned=True), *history(record)]
    rest = [entry for entry in before if not same(entry, now)]
    abandoned = [value for value in record.get("abandoned", ()) if not same(Released.of(value), now)]
    return {
        **record,
        "current": now.value(),
        "history": [entry.value() for entry in rest[:keep]],
        "abandoned": abandoned[:keep],
    }


def went_back(record: Mapping[str, Any], target: Released, keep: int) -> Kept:
    """The record after a rollback. What is newer than the target is no longer before it, but not forgotten."""
    current, older = Released.of(record["current"]), history(record)
    if same(current, target):
        return {**record, "current": target.value()}
    position = next((number for number, entry in enumerate(older) if same(entry, target)), None)
    left = [current, *(older if position is None else older[:position])]
    gone = [entry.value() for entry in left] + list(record.get("abandoned", ()))
    return {
        **record,
        "current": target.value(),
        "history": [] if position is None else [entry.value() for entry in older[position + 1 :]],
        "abandoned": [value for value in gone if not same(Released.of(value), target)][:keep],
    }


def target(
    name: str, record: Mapping[str, Any], running: Released, previous: Released | None, wanted: str
) -> Released | None:
    """Which release a rollback of this service leads to; None where there is none before.

    Without a `wanted` number: what is recorded where something else runs (a release that never got through),
    else the one before it, else what the swarm itself had before. OperatorError where `wanted` is unknown.
    """
    current = Released.of(record["current"]) if record else running
    known = [current, *history(record), *(Released.of(value) for value in record.get("abandoned", ()))]
    if previous and not any(same(previous, entry) for entry in known):
        known.append(previous)
    if wanted:
        for entry in known:
            if entry.release == wanted:
                return entry
        numbers = ", ".join(dict.fromkeys(entry.release for entry in known))
        raise OperatorError(f"{name} was never at release {wanted}, as far as is known here; it was at {numbers}")
    if not same(current, running):
        return current
    if older := history(record):
        return older[0]
    return None if record else previous


def releases(env: Environment) -> dict[str, str]:
    """{service: release} of an environment as it is planned: for records of runs."""
    return {name: released(env, name).release for name in env.catalogue.services}


def record_of(env: Environment, name: str) -> Mapping[str, Any]:
    """What is kept of a service; empty where it was never released."""
    return env.kept.get(key(name), {})
