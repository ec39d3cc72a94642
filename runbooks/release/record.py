"""The release record of a service, and the release that a rollback returns to. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.service.released import UNRECORDED, Released, key, released

Kept = dict[str, Any]


@dataclass(frozen=True)
class Running:
    """A service as the swarm has it: its image reference and the name of its configuration."""

    image: str
    config: str

    def released(self) -> Released:
        """The same as a release with a pinned configuration."""
        name, _, digest = self.image.partition("@")
        return Released(name.rsplit(":", 1)[-1], digest, self.config, pinned=True)


def same(one: Released, other: Released) -> bool:
    """Whether two releases have the same number and image, whatever their configuration."""
    return (one.release, one.digest) == (other.release, other.digest)


def history(record: Mapping[str, Any]) -> list[Released]:
    """Releases before the current one, newest first."""
    return [Released.of(value) for value in record.get("history", ())]


def begun(record: Mapping[str, Any], running: Released) -> Kept:
    """The record during a release: the running release stays the planned one until the gates have passed."""
    current = Released.of(record["current"]) if record else running
    if same(current, running):  # on the hosts the configuration may be newer than the record
        current = replace(current, config=running.config, pinned=True)
    return {**record, "current": current.value()}


def committed(record: Mapping[str, Any], now: Released, keep: int) -> Kept:
    """The record once `now` has passed its gates. The previous release becomes history."""
    before = [replace(Released.of(record["current"]), pinned=True), *history(record)]
    rest = [entry for entry in before if not same(entry, now)]
    abandoned = [value for value in record.get("abandoned", ()) if not same(Released.of(value), now)]
    return {
        **record,
        "current": now.value(),
        "history": [entry.value() for entry in rest[:keep]],
        "abandoned": abandoned[:keep],
    }


def rolled_back(record: Mapping[str, Any], target: Released, keep: int) -> Kept:
    """The record after a rollback. Releases newer than the target leave the history and are kept as abandoned."""
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
    """The release that a rollback of this service returns to; None if it has no earlier one.

    Without a `wanted` number: the recorded release if another one runs (one that never got through), else the one
    before it, else the one that the swarm itself had before. OperatorError if `wanted` is unknown.
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
        raise OperatorError(f"{name} was never at release {wanted} according to its record; it was at {numbers}")
    if not same(current, running):
        return current
    if older := history(record):
        return older[0]
    return None if record else previous


def releases(env: Environment) -> dict[str, str]:
    """{service: release} as the environment plans it, for audit records."""
    return {name: released(env, name).release for name in env.catalogue.services}


def record_of(env: Environment, name: str) -> Mapping[str, Any]:
    """The release record of a service; empty if it was never released."""
    found = env.kept.get(key(name), {})
    return {} if UNRECORDED in found else found
