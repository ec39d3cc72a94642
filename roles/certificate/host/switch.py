"""What a timer and the boot start on a host: `python3 -m roles.certificate.host.switch`.

It puts the leaf of the current period in its place, as a run would that came by now, and has the daemons take it that
run with another one. What to do is told from files and stamps alone, so the next start finishes what was interrupted.
"""

import contextlib
import glob
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nexus.agent.file import put, stage
from nexus.agent.lib import RemoteError, digest, read_stamp, run
from nexus.agent.systemd import units
from nexus.agent.turn import turn
from nexus.agent.unit import settle
from roles.certificate.host.stock import PREPARED, REMEDY, due, read, renewed

DROP_INS = "/etc/systemd/system/*.service.d/50-nexus-cos.conf"
SAID = "Unit="  # in a section that systemd leaves to others, see nexus/plan/unit.py
SKEW_SECONDS = 60  # by which clocks may differ: nobody is shown a leaf before it is valid

Unit = dict[str, Any]


def main() -> int:
    """0 where every daemon runs with the leaf of the current period."""
    try:
        with turn(alone=True):
            stock = read()
            wrong = switch(stock["pairs"], stock["others"], time.time())
    except RemoteError as error:
        wrong = [str(error)]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def switch(pairs: Sequence[Mapping[str, Any]], others: Sequence[str], now: float) -> list[str]:
    """Renew what is due and have daemons take it, and `others` that changed; what could not be done, a line each."""
    began, wrong, written = time.clock_gettime(time.CLOCK_MONOTONIC), [], False
    for pair in pairs:
        try:
            written |= renew(pair, now)
        except (RemoteError, OSError, LookupError) as error:
            wrong.append(str(error))
    paths = [pair[name] for pair in pairs for name in ("certificate", "key")]
    readers = list(_readers([*paths, *others]))
    for unit in readers:
        try:
            take(unit)
        except RemoteError as error:
            wrong.append(f"{unit['name']} did not take the new certificate: {error}")
    return wrong + (_started_between(readers, began) if written else [])


def renew(pair: Mapping[str, Any], now: float) -> bool:
    """Put the leaf that is due in its place, and say whether that was needed; RemoteError where none was prepared."""
    leaves = pair["leaves"]
    there = digest(pair["certificate"]), digest(pair["key"])
    skew = min(SKEW_SECONDS, (leaves[0]["ends"] - leaves[0]["begins"]) / 30) if leaves else 0
    near = [leaf for moment in (now - skew, now, now + skew) if (leaf := due(leaves, moment))]
    if not near:
        if leaves and now < leaves[0]["begins"]:
            print(f"{pair['certificate']}: it is {time.ctime(now)}, before the first prepared leaf: left as it is")
            return False
        ended = time.ctime(renewed(leaves[-1])) if leaves else "before they began"
        raise RemoteError(f"{pair['certificate']}: prepared leaves ended {ended}: {REMEDY}")
    if there in [_digests(leaf) for leaf in near] or _of_a_run(pair, there, now):
        return False
    leaf = near[0]
    # Both on disk first: the two renames then are one moment.
    certificate = stage(pair["certificate"], leaf["certificate"].encode(), 0o644)
    key = stage(pair["key"], leaf["key"].encode(), 0o640, group=pair["group"])
    put(key, pair["key"])
    put(certificate, pair["certificate"])
    print(f"{pair['certificate']}: from {time.ctime(leaf['begins'])} until {time.ctime(leaf['ends'])}")
    return True


def _of_a_run(pair: Mapping[str, Any], there: tuple[str | None, str | None], now: float) -> bool:
    """Whether a run put another leaf there and is about to replace what is prepared; after a period it has died."""
    leaves = pair["leaves"]
    if any(known in (_digests(leaf)[place], None) for leaf in leaves for place, known in enumerate(there)):
        return False
    written = os.stat(pair["certificate"]).st_mtime
    period = renewed(leaves[0]) - leaves[0]["begins"]
    return os.stat(PREPARED).st_mtime < written and now - written < period


def _digests(leaf: Mapping[str, Any]) -> tuple[str, str]:
    certificate, key = (hashlib.sha256(leaf[name].encode()).hexdigest() for name in ("certificate", "key"))
    return certificate, key


def _readers(paths: Sequence[str]) -> Iterator[Unit]:
    """Units that say they read some of these files, with these alone: how each is taken, and how that is checked."""
    for path in sorted(glob.glob(DROP_INS)):
        with open(path, errors="replace") as stream:
            said = [line.removeprefix(SAID) for line in stream if line.startswith(SAID)]
        for unit in map(json.loads, said):
            for verb in ("restart_on", "reload_on"):
                unit[verb] = [one for one in unit[verb] if one in paths]
            if unit["restart_on"] or unit["reload_on"]:
                yield unit


def take(unit: Unit) -> None:
    """Have a daemon that runs with another leaf take the one that is there; RemoteError where it does not."""
    stamp = read_stamp(unit["name"]) or {}
    paths = (*unit["restart_on"], *unit["reload_on"])
    older = [path for path in paths if path in stamp and stamp[path] != digest(path)]
    if older and units([unit["name"]])[unit["name"]]["ActiveState"] in ("active", "reloading"):
        settle(unit, put_off=False)
        print(f"{unit['name']} runs with the new {', '.join(older)}")


def _started_between(readers: Sequence[Unit], began: float) -> list[str]:
    """Start what failed since then: a daemon that started between two renames found a key of another certificate."""
    wrong = []
    for unit in readers:
        found = run(["systemctl", "show", "--property=ActiveState,StateChangeTimestampMonotonic", unit["name"]])
        state = dict(line.split("=", 1) for line in found.split())
        if state["ActiveState"] == "failed" and int(state["StateChangeTimestampMonotonic"]) / 1e6 >= began:
            with contextlib.suppress(RemoteError):
                settle(unit, put_off=False)
                continue
            wrong.append(f"{unit['name']} failed while the certificate was replaced: systemctl status {unit['name']}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
