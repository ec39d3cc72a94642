"""A bounded number of log lines: from the log store, or from the hosts that wrote them if it cannot be asked."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Report
from nexus.run.since import moment
from roles.log_store.plan import DIRECTORY, PACK_CONFIG, server
from runbooks.daily import arguments

HOSTS = Path(__file__).parent / "host/logs.py"
STORE = Path(__file__).parents[2] / "roles/log_store/host/search.py"
SAID = ("timestamp", "level", "service", "message")  # fields of a message that are shown without their names
CUT = ", older lines left out: --data lines=, grep=, since="


@dataclass(frozen=True)
class Wanted:
    """What an operator looks for. All that is named must match; several services are alternatives."""

    services: Sequence[str] = ()
    unit: str = ""
    host: str = ""
    request: str = ""
    grep: str = ""
    since: str = "1h"
    until: str = ""
    lines: int = 200


def read(run: Run, wanted: Wanted) -> Report:
    """The newest lines of what is wanted."""
    if not (wanted.services or wanted.unit or wanted.host or wanted.request or wanted.grep):
        raise OperatorError(
            "name what to look for: --data service=auth-service, unit=nginx, host=edge1, request=ID or grep=TEXT; "
            "--data help=true explains them"
        )
    units = arguments.units(run, wanted.unit, wanted.host) if wanted.unit else {}
    store = server(run.environment)
    if store and run.hosts.reaches(store.name):
        return Report(_from_store(run, store.name, wanted, [unit.name for unit in units.values()]))
    return Report(_from_hosts(run, wanted, store.name if store else ""))


def _from_store(run: Run, store: str, wanted: Wanted, units: Sequence[str]) -> str:
    now = time.time()
    context = {
        **asdict(wanted),
        "since": moment(wanted.since, now),
        "until": moment(wanted.until, now, "until") or now + 60,  # clocks of hosts differ
        "unit": units[0] if units else "",
        "directory": DIRECTORY,
        "config": PACK_CONFIG,
    }
    found = run.hosts.ask_source(store, STORE, ["lines"], context)["lines"]
    cut = CUT if found["more"] else ""
    text = [f"== {store}: {len(found['lines'])} lines{cut}", *map(in_words, found["lines"])]
    if found["since"] > context["since"]:
        text.append(
            f"lines before {_local(found['since'])} are packed, too many to read at once: name a host or until="
        )
    return "\n".join(text)


def _from_hosts(run: Run, wanted: Wanted, store: str) -> str:
    """The same from the journals of the hosts, by service or by unit."""
    why = f"the log store, {store}, is not reached" if store else "no host of ops keeps logs of others"
    if bool(wanted.services) == bool(wanted.unit) or wanted.request:
        raise OperatorError(
            f"{why}, and hosts are only asked for a service or a unit: name one, --data service=auth-service or "
            "--data unit=nginx [--data host=edge1]"
        )
    context = {"since": int(moment(wanted.since, time.time())), "grep": wanted.grep, "lines": wanted.lines}
    if wanted.services:
        about = {**context, "about": "service"}
        parts = run.hosts.ask_source(arguments.manager(run), HOSTS, list(wanted.services), about)
    else:
        parts = {}
        for name, planned in arguments.units(run, wanted.unit, wanted.host).items():
            found = run.hosts.ask_source(name, HOSTS, [planned.name], {**context, "about": "unit"})
            parts[f"{planned.name} on {name}"] = found[planned.name]
    text = [f"{why}: these lines are from the hosts themselves"]
    for title, answer in parts.items():
        text += [f"== {title}: {len(answer['lines'])} lines{CUT if answer['more'] else ''}", *answer["lines"]]
    return "\n".join(text)


def in_words(line: Mapping[str, str]) -> str:
    """A line with time, host and writer; of a message in the platform's format, what its fields say."""
    when = _local(int(line["__REALTIME_TIMESTAMP"]) / 1e6)
    writer = line.get("TASK") or line.get("SERVICE") or line.get("SYSLOG_IDENTIFIER") or line.get("_COMM", "")
    return f"{when} {line.get('_HOSTNAME', '')} {_short(writer)} {_message(line.get('MESSAGE', ''))}"


def _message(text: str) -> str:
    try:
        said = json.loads(text) if text.startswith("{") else None
    except ValueError:
        said = None
    if not isinstance(said, dict) or "message" not in said:
        return text
    others = [f"{name}={value}" for name, value in said.items() if name not in SAID and value not in ("", None)]
    return " ".join([str(said.get("level", "")), str(said["message"]), *others])


def _short(writer: str) -> str:
    """SERVICE.SLOT without the long id of the task."""
    name, _, task = writer.rpartition(".")
    return f"{name}.{task[:5]}" if name else writer


def _local(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).isoformat(" ", "milliseconds")
