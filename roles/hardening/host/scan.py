"""Runs on a host by a timer: what Lynis, ssh-audit and dpkg find there.

    python3 -m roles.hardening.host.scan FILE

FILE then holds {"at": time, "index": Lynis's figure of 0 to 100, "findings": [[kind, name, text], ...]}.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nexus.agent.file import write_atomic
from nexus.agent.lib import RemoteError

SECONDS = 1200
ADDRESS = "127.0.0.1"
KINDS = ("warning", "suggestion")
CHANGED = re.compile(r"^..5\S* {3}(/.+)$", re.MULTILINE)  # ??5??????   /usr/bin/x, with a "c" if people may change it
# A test of Lynis with one suggestion for all of its values, which has a line of details for each.
# details[]=KRNL-6000|sysctl|desc:Restrict core dumps;field:fs.suid_dumpable;prefval:0;value:2;|
VALUES = "KRNL-6000"
VALUE = re.compile(rf"^details\[\]={VALUES}\|.*;field:(.+?);prefval:(.*?);value:(.*?);\|")
GRAVE = ("fail", "warn")


def main(path: str) -> None:
    """Scan, and replace the file."""
    with tempfile.TemporaryDirectory() as directory:
        report = os.path.join(directory, "report.dat")
        run(["lynis", "audit", "system", "--quick", "--quiet", "--no-colors", "--report-file", report, "--logfile",
             os.path.join(directory, "lynis.log")])  # fmt: skip
        with open(report, encoding="utf-8", errors="replace") as source:
            lines = source.read().splitlines()
    findings = [*of_lynis(lines), *of_ssh_audit(parsed(run(["ssh-audit", "-j", ADDRESS])))]
    findings += of_dpkg(run(["dpkg", "--verify"]))
    found = {"at": time.time(), "index": index(lines), "findings": findings}
    write_atomic(path, json.dumps(found, indent=1).encode(), 0o600)


def run(argv: list[str]) -> str:
    """The output of a scanner, whose exit status says no more than that it found something."""
    done = subprocess.run(argv, capture_output=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL)
    if done.returncode < 0:
        raise RemoteError(f"{argv[0]} was ended by signal {-done.returncode}")
    return done.stdout.decode(errors="replace")


def parsed(text: str) -> Any:
    """What ssh-audit wrote; RemoteError with its words if it could not look at sshd."""
    try:
        return json.loads(text)
    except ValueError:
        said = text.strip() or "nothing"
        raise RemoteError(
            f"ssh-audit could not look at sshd on {ADDRESS}, it says: {said}. Is ssh.service up?"
        ) from None


def index(lines: Iterable[str]) -> int:
    """Lynis's figure for the host."""
    return next((int(line.partition("=")[2]) for line in lines if line.startswith("hardening_index=")), 0)


def of_lynis(lines: Iterable[str]) -> Iterator[list[str]]:
    """[kind, name, text] of each line such as suggestion[]=SSH-7408|Consider hardening SSH configuration|LogLevel|-|"""
    for line in lines:
        kind, _, rest = line.partition("[]=")
        name, *words = rest.split("|")
        if found := VALUE.match(line):
            key, wanted, value = found.groups()
            yield [KINDS[-1], VALUES, f"{key} is {value}, wanted is {wanted}"]
        elif kind in KINDS and name != VALUES:
            yield [kind, name, ": ".join(word for word in words[:2] if word not in ("", "-"))]


def of_ssh_audit(found: Mapping[str, Any]) -> Iterator[list[str]]:
    """[kind, algorithm, text] of each algorithm that sshd should not offer."""
    for algorithms in found.values():
        for one in algorithms if isinstance(algorithms, list) else ():
            notes = one.get("notes", {}) if isinstance(one, dict) else {}
            for kind in GRAVE:
                if texts := notes.get(kind):
                    yield [kind, one["algorithm"], "; ".join(texts)]


def of_dpkg(text: str) -> Iterator[list[str]]:
    """[kind, name, text] of each file that is not as its package brought it, without files for administrators."""
    for path in CHANGED.findall(text):
        yield ["warning", "dpkg", f"{path} is not as its package brought it"]


if __name__ == "__main__":
    main(*sys.argv[1:])
