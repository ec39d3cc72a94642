"""Runs on the log store: log lines of all hosts, of what is there and of what was packed. Changes nothing."""

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from nexus.agent.lib import RemoteError
from roles.log_store.host.archive import PREFIX, Archive, Packed
from roles.log_store.host.journal import journals

SECONDS = 120
LATE_SECONDS = 3600  # lines of a host that could not send for this long are in a file of later ones
FETCHED_MOST = 40  # packed journals of one search
TIME = "__REALTIME_TIMESTAMP"
FIELDS = ("MESSAGE", "SERVICE", "TASK", "RELEASE", "SYSLOG_IDENTIFIER", "_HOSTNAME", "_COMM")


def probe(names: list[str], context: dict[str, Any]) -> dict[str, Any]:
    """{"lines": {"lines": [{field: text}], "more": bool, "since": float}}: the newest lines, oldest of them first.

    `context`: directory, config, since, until, services, host, unit, request, grep, lines. Times are seconds since
    1970. The answer's `since` is later than the wanted one if older lines were packed and are too many to fetch.
    """
    with tempfile.TemporaryDirectory(prefix="nexus-log-", dir="/var/tmp") as scratch:
        since, fetched = fetch(context, scratch)
        files = [f"--file={context['directory']}/logs*.journal*", *([f"--file={scratch}/*.journal"] if fetched else [])]
        found = lines([*files, *arguments(context)], context["lines"] + 1)
    more = len(found) > context["lines"]
    return {"lines": {"lines": found[-context["lines"] :], "more": more, "since": since}}


def arguments(context: Mapping[str, Any]) -> list[str]:
    """The search in words of journalctl: values of one field are alternatives, fields must all match."""
    found = [f"--since=@{context['since']:.0f}", f"--until=@{context['until']:.0f}"]
    if context["grep"]:
        found += [f"--grep={literal(context['grep'])}", "--case-sensitive=yes"]
    if context["unit"]:
        found.append(f"--unit={context['unit']}")
    found += [f"SERVICE={service}" for service in context["services"]]
    found += [f"_HOSTNAME={context['host']}"] if context["host"] else []
    return found + ([f"REQUEST_ID={context['request']}"] if context["request"] else [])


def literal(text: str) -> str:
    """A pattern that matches this text and nothing else."""
    return "".join(character if character.isalnum() else f"\\{character}" for character in text)


def lines(words: Sequence[str], most: int) -> list[dict[str, str]]:
    """The newest lines as journalctl finds them; a line that arrived twice is one line."""
    argv = ["journalctl", "--quiet", "--no-pager", f"--lines={most}", "--output=json"]
    argv += [f"--output-fields={','.join(FIELDS)}", *words]
    done = subprocess.run(argv, capture_output=True, timeout=SECONDS, check=False)
    if done.returncode and done.stderr:  # nothing found: status 1 without words
        raise RemoteError(f"journalctl: {done.stderr.decode(errors='replace').strip()[-500:]}")
    found: list[dict[str, str]] = []
    for raw in done.stdout.splitlines():
        line = {name: readable(value) for name, value in json.loads(raw).items() if name in (*FIELDS, TIME)}
        if not found or line != found[-1]:
            found.append(line)
    return sorted(found, key=lambda line: int(line[TIME]))  # as they were written, not as they arrived


def readable(value: Any) -> str:
    """The value of a field: journalctl writes a list for bytes that are no text, and for several values."""
    if isinstance(value, list):
        if all(isinstance(one, int) for one in value):
            return bytes(value).decode(errors="replace")
        return str(value[0])
    return str(value or "")


def fetch(context: Mapping[str, Any], scratch: str) -> tuple[float, bool]:
    """Fetch packed journals with lines of the wanted time that are no longer here; from when on all are, and whether
    any was fetched.
    """
    with open(context["config"], encoding="utf-8", errors="replace") as source:
        config = json.load(source)
    here = journals(context["directory"])
    if not config["storage"] or context["since"] >= (here[0].first if here else time.time()):
        return context["since"], False
    archive, keys = Archive(config["storage"]), {journal.key for journal in here}
    wanted = [one for one in archive.all() if _needed(one, context, keys)]
    newest = sorted(wanted, key=lambda one: one.last)[-FETCHED_MOST:]
    for packed in newest:
        archive.fetch(packed, scratch)
    complete = len(newest) == len(wanted)
    return (context["since"] if complete else newest[0].last), bool(newest)


def _needed(packed: Packed, context: Mapping[str, Any], here: set[str]) -> bool:
    in_time = packed.last >= context["since"] - LATE_SECONDS and packed.first <= context["until"] + LATE_SECONDS
    return in_time and packed.key.removeprefix(PREFIX) not in here
