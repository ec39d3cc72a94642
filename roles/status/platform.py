"""Lines about hosts, their disks, the swarm, the services and the backups."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from roles.functional import judge
from roles.kit.environment import Environment
from roles.kit.quorum import majority
from roles.status.line import Answers, Line, amount, duration, mute, told
from roles.swarm.plan import managers, nodes

Answer = Mapping[str, Any]
DAY = 86400
PROOF = "restore_test"
UNKNOWN = "nothing is known of any"


def hosts(env: Environment, answers: Answers) -> Iterator[Line]:
    """Hosts that answer, and units that failed on them."""
    silent = [host.name for host in env.hosts if host.name not in answers]
    value = f"{len(env.hosts) - len(silent)} of {len(env.hosts)} answer"
    advice = f"{', '.join(silent)}: power, network, sshd" if silent else ""
    yield Line("hosts", "log-in", value, "all", advice)
    names = [host.name for host in env.hosts]
    yield from mute(answers, "host", names)
    for name, answer in told(answers, "host", names).items():
        if answer["failed"]:
            units = ", ".join(answer["failed"])
            yield Line(
                "hosts", name, f"failed: {units}", "none", "systemctl status there; a run starts what is ours"
            )


def disks(env: Environment, answers: Answers) -> Iterator[Line]:
    """Filesystems above the target; else the fullest one of all."""
    baseline = env.catalogue.operations.baselines["disk_percent"]
    found = [
        (disk["used_percent"], name, disk)
        for name, answer in told(answers, "host", (host.name for host in env.hosts)).items()
        for disk in answer["disks"]
    ]
    found.sort(key=lambda one: one[:2], reverse=True)
    for percent, name, disk in [one for one in found if one[0] > baseline.target] or found[:1]:
        value = f"{percent:.0f} % used, {amount(disk['free_bytes'])} left"
        level = next((w for w in ("critical", "warning") if percent > getattr(baseline, w)), "above target")
        advice = f"{level}: free space on {name}, or make {disk['path']} larger; a full store takes no writes"
        missed = advice if percent > baseline.target else ""
        yield Line("disk", f"{name} {disk['path']}", value, f"at most {baseline.target:g} %", missed)


def swarm(env: Environment, answers: Answers) -> Iterator[Line]:
    """Managers that agree, and nodes that take tasks."""
    if not env.group("app"):
        return
    names = [host.name for host in managers(env)]
    yield from mute(answers, "swarm", names)
    views = [answer["nodes"] for answer in told(answers, "swarm", names).values()]
    if not views:
        return
    view = views[0]
    there = [name for name, node in view.items() if node["manager"] and node["reachable"]]
    least = majority(len(names))
    leader = next((name for name, node in view.items() if node["leader"]), "nobody")
    advice = "" if len(there) == len(names) else "bring the managers back that are down: docker node ls"
    yield Line(
        "swarm",
        "managers",
        f"{len(there)} of {len(names)} reachable, {leader} leads",
        f"{least} agree",
        advice,
    )
    ready = [name for name, node in view.items() if node["state"] == "ready"]
    away = [name for name in ready if view[name]["availability"] != "active"]
    value = f"{len(ready)} of {len(nodes(env))} ready" + (f", {', '.join(away)} drained" if away else "")
    down = sorted(set(view) - set(ready))
    advice = (
        f"{', '.join(down)}: bring them back, or run without them" if len(ready) < len(nodes(env)) else ""
    )
    yield Line("swarm", "nodes", value, "all", advice)


def services(env: Environment, answers: Answers) -> Iterator[Line]:
    """Services that the router finds ready."""
    if not env.group("edge"):
        return
    edge = env.group("edge")[0].name
    yield from mute(answers, "services", [edge])
    for answer in told(answers, "services", [edge]).values():
        bad = {name.removeprefix("service "): one["why"] for name, one in answer.items() if not one["ready"]}
        first = "; ".join(f"{name}: {why}" for name, why in list(bad.items())[:3])
        advice = f"{first}. deploys/verify.py shows their last log lines" if bad else ""
        yield Line("services", "health", f"{len(answer) - len(bad)} of {len(answer)} healthy", "all", advice)


def functional(env: Environment, answers: Answers) -> Iterator[Line]:
    """Functional checks of services with code of their own, and each failure that the catalogue declares."""
    edge = [host.name for host in env.group("edge")[:1]]
    yield from mute(answers, "functional", edge)
    for answer in told(answers, "functional", edge).values():
        result = judge(env, answer)
        advice = "; ".join(f"{name}: {why}" for name, why in result.failed.items())
        yield Line("services", "functional checks", str(result).replace(" functional checks", ""), "all", advice)
        for name, why in result.known.items():
            yield Line("services", name, f"known failure: {why}")


def backups(env: Environment, answers: Answers, now: float) -> Iterator[Line]:
    """Age of the newest good backup of each store, and of the last restore that was proven."""
    figures = env.catalogue.operations
    newest = _newest(told(answers, "backup", (host.name for host in env.hosts)).values())
    within = figures.disaster_recovery.rpo_hours * 3600
    kinds = [store for store in ("postgresql", "redis", "rabbitmq", "mongodb") if env.present(store)]
    for kind in [*kinds, "environment"]:
        yield _backup(kind, newest.get(kind), within, "deploys/backup.py makes one", now)
    days = figures.backups.restore_test_every_days
    yield _backup(
        "restore", newest.get(PROOF), days * DAY, "deploys/restore_test.py proves that they restore", now
    )


def _newest(said: Any) -> dict[str, Answer]:
    """Of each kind what ended last, and when the last good one of all hosts ended."""
    found: dict[str, dict[str, Any]] = {}
    for answer in said:
        for kind, one in answer.items():
            known = found.setdefault(kind, dict(one))
            good = max(str(known.get("ok_at") or ""), str(one.get("ok_at") or ""))
            if str(one["finished_at"]) > str(known["finished_at"]):
                known |= one
            known["ok_at"] = good
    return dict(found)


def _backup(what: str, last: Answer | None, within: float, remedy: str, now: float) -> Line:
    target = f"within {duration(within)}"
    if last is None or not last["ok_at"]:
        why = f"failed: {last['error']}. " if last and last.get("error") else ""
        return Line("backup", what, UNKNOWN if last is None else "never succeeded", target, f"{why}{remedy}")
    # What is archived all the time is safe up to there.
    safe = max(_seconds(last["ok_at"]), _seconds(last.get("wal_archived_at") or last["ok_at"]))
    value = f"{duration(max(0.0, now - safe))} ago"
    if not last.get("ok", True):
        return Line("backup", what, f"{value}; the last one failed", target, f"{last.get('error')}. {remedy}")
    return Line("backup", what, value, target, "" if now - safe <= within else remedy)


def _seconds(when: str) -> float:
    return dt.datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp()
