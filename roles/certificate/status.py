"""Rows about certificates: which ones the daemons of each host show, and how long the host can renew them."""

from collections.abc import Iterator, Mapping
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.pki.ca import DAY_SECONDS
from nexus.run.row import Answers, Row, duration, told, unreachable_lines
from roles.certificate.door import Door
from roles.certificate.plan import CA, LEAF, UNIT, interval_seconds
from roles.certificate.prepared import seconds as prepared_seconds
from roles.table import ROLES

SHARED = ("certificate-expiry", "certificate-dates")  # daily checks that these rows answer
Answer = Mapping[str, Any]
SHARE = 0.7  # share of a period: it is the target where it is shorter than the days of the setting
PREPARED_SHARE = 0.25  # likewise, share of the time for which leaves are prepared
LATE_STARTS = 4  # a renewal is late after this many starts of the program on the host


def all_doors(env: Environment, host: Host) -> list[Door]:
    """The doors of a host, of all roles that have some."""
    modules = [module for module in ROLES.bringing("status").values() if hasattr(module, "doors")]
    return [door for module in modules for door in module.doors(env, host)]


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Certificate files that daemons of this host show or trust, and the ports where they show ours."""
    doors = all_doors(env, host)
    ours = [door for door in doors if door.ca]
    paths = [CA, LEAF, *(path for door in doors for path in (door.ca, door.leaf) if path)]
    return {"certificates": {"paths": list(dict.fromkeys(paths)), "doors": [door.question() for door in ours]}}


def rows(env: Environment, answers: Answers, now: float) -> Iterator[Row]:
    """A row for each host, and one for each certificate file on it that ends soon, such as an authority's."""
    names = [host.name for host in env.hosts]
    yield from unreachable_lines(answers, "certificates", names)
    least = min(
        int(env.setting.status_certificate_days) * DAY_SECONDS, SHARE * int(env.setting.certificate_period_seconds)
    )
    for name, answer in told(answers, "certificates", names).items():
        yield _host(env, name, answer, least, now)
        for path, end in answer["files"].items():
            if end - now < least:
                advice = f"run deploys/base.py: it renews {path}, unless that is an authority or not ours"
                yield Row("certificates", f"{name} {path}", _left(end - now), f"{duration(least)} or more", advice)


def _host(env: Environment, name: str, answer: Answer, least: float, now: float) -> Row:
    shown, prepared = answer["shown"], answer["prepared"]
    refused = {door: why for door, why in shown.items() if isinstance(why, str)}
    files = {path.rpartition("/")[2]: end for path, end in answer["files"].items() if path == LEAF and not shown}
    ends = sorted((end, door) for door, end in {**files, **shown}.items() if not isinstance(end, str))
    wanted = min(int(env.setting.status_prepared_days) * DAY_SECONDS, PREPARED_SHARE * prepared_seconds(env))
    ahead = float(prepared.get("until", now)) - now
    words = [f"{door}: {why}" for door, why in refused.items()]
    words += [f"{_left(ends[0][0] - now)} ({ends[0][1]})"] if ends else []
    words.append(f"prepared for {duration(ahead)}" if ahead > 0 else "nothing prepared")
    target = f"{duration(least)}, prepared for {duration(wanted)}"
    return Row("certificates", name, ", ".join(words), target, _advice(env, answer, least, wanted, now))


def _advice(env: Environment, answer: Answer, least: float, wanted: float, now: float) -> str:
    """The advice where a target is missed."""
    shown, prepared = answer["shown"], answer["prepared"]
    look = f"see journalctl -u {UNIT} there for the reason; deploys/full.py renews it too"
    if "error" in prepared:
        return str(prepared["error"])
    if prepared["late"] > LATE_STARTS * interval_seconds(env):
        return f"the renewal of a certificate is late by {duration(prepared['late'])}: {look}"
    soon = [door for door, end in shown.items() if isinstance(end, str) or end - now < least]
    if soon:
        return f"{', '.join(soon)}: {look}"
    if prepared["until"] - now < wanted:
        return "run deploys/base.py: it prepares certificates, unless an authority ends"
    return ""


def _left(seconds: float) -> str:
    return f"{duration(seconds)} left" if seconds > 0 else f"ended {duration(-seconds)} ago"
