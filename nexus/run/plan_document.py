"""The plan as a document: every host, every item, before and after, and a hash over all of it.

The same data is written for a review, compared with the hosts, and then carried out. It holds keyed hashes in place of
secrets.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nexus.environment.fingerprint import keyed_hash
from nexus.error import OperatorError
from nexus.plan import diff
from nexus.plan.comparison import Pair
from nexus.run.run import Run
from nexus.workstation import write_whole

FORMAT = 1
Items = dict[str, dict[str, dict[str, Pair]]]  # host -> role -> item -> (before, after)


def items(run: Run, scope: Mapping[str, Iterable[str]]) -> Items:
    """Return what is on these hosts and what their roles plan: {host: {role: {item: (before, after)}}}."""
    return {
        name: {role: of_role(run, name, role) for role in run.hosts.roles(name) if role in roles}
        for name, roles in sorted(scope.items())
    }


def of_role(run: Run, name: str, role: str) -> dict[str, Pair]:
    """Return all items of one role on one host: {item: (before, after)}."""
    planned = run.hosts.digests_of(name)
    found = diff.described(
        run.hosts.plan(name, role), run.hosts.answer(name), planned, lambda text: keyed_hash(run.environment, text)
    )
    for change in run.hosts.compare(name, role).changes:
        if change.how.startswith("no longer planned"):
            found.setdefault(change.what, ("there", ""))
    return found


def plan_hash(run: Run) -> str:
    """Return a hash of everything that this run plans for its hosts, regardless of what is there now."""
    return _hash({host: _afters(roles) for host, roles in items(run, run.planned).items()})


def build(run: Run, command: str, checkout: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of what this run would do now; `command` is the command that carries it out."""
    body = {
        "format": FORMAT,
        "environment": run.environment.name,
        "command": command,
        **checkout,
        "made": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "plan": plan_hash(run),
        "hosts": items(run, run.planned),
    }
    document: dict[str, Any] = json.loads(json.dumps({**body, "hash": _hash(body)}))  # pairs become lists
    return document


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document; OperatorError if the file cannot be written."""
    try:
        write_whole(path, json.dumps(document, indent=1) + "\n")
    except OSError as error:
        raise OperatorError(f"plan={path} cannot be written: {error.strerror}") from None


def read(path: Path) -> dict[str, Any]:
    """Return a document from its file; OperatorError if it is not a plan or was edited after it was written."""
    try:
        document: dict[str, Any] = json.loads(path.read_text())
        body = {key: value for key, value in document.items() if key != "hash"}
        if document["format"] != FORMAT:
            raise OperatorError(f"apply={path} was written by another version of this project: make a new plan")
        sound = document["hash"] == _hash(body)
    except OSError as error:
        raise OperatorError(f"apply={path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise OperatorError(f"apply={path} is not a plan: make one with --dry --data plan={path}") from None
    if not sound:
        raise OperatorError(f"apply={path} was edited: its hash does not match. Make a new plan")
    return document


def moved(reviewed: Mapping[str, Any], now: Items) -> list[str]:
    """Return one line for each thing that has moved since the plan was made; empty if nothing has."""
    lines = []
    then: Items = reviewed["hosts"]
    for name in sorted({*then, *now}):
        if name not in now or name not in then:
            lines.append(f"{name}: {'is not part of this run' if name in then else 'is not part of the plan'}")
            continue
        before, after = _flat(then[name]), _flat(now[name])
        for item in sorted({*before, *after}):
            lines += _moved(name, item, before.get(item), after.get(item))
    return lines


def _moved(name: str, item: str, then: Iterable[str] | None, now: Iterable[str] | None) -> list[str]:
    if then is None or now is None:
        return [f"checkout: {name}, {item} {'is not planned any more' if now is None else 'is planned now'}"]
    (old, wanted), (found, wants) = then, now
    lines = [] if old == found else [f"{name}: {item} was {old or 'missing'}, is {found or 'missing'}"]
    if wanted != wants:
        lines.append(f"checkout: {name}, {item} should be {wants or 'gone'}, the plan says {wanted or 'gone'}")
    return lines


def _flat(roles: Mapping[str, Mapping[str, Pair]]) -> dict[str, Pair]:
    return {item: pair for found in roles.values() for item, pair in found.items()}


def _afters(roles: Mapping[str, Mapping[str, Pair]]) -> dict[str, dict[str, str]]:
    return {role: {item: pair[1] for item, pair in found.items()} for role, found in roles.items()}


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
