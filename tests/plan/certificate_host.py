"""A host in a directory, for the program that renews its certificates: its files, and units of a fake systemctl.

The program is the real one, from the planned files. Only systemctl is a fake: it keeps a state for each unit, records
its calls, and stamps a unit that it starts.
"""

from __future__ import annotations

import datetime as dt
import grp
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment
from nexus.pki.ca import Authority
from nexus.plan.desired import Unit
from roles.certificate.host.stock import seal
from roles.certificate.plan import LIBRARY, plan
from roles.certificate.prepared import Pair, stock

GROUP = grp.getgrgid(os.getgid()).gr_name
DAY_SECONDS = 86400
START = """
import os, sys
place = os.environ["PLACE"]
os.chown = lambda *_, **__: None  # any user may run this
from nexus.agent import lib, systemd_bus, turn, unit
turn.LOCK, turn.PARALLEL, lib.STAMP, unit.STAMP = f"{place}/lock", f"{place}/turns", f"{place}/stamp", f"{place}/stamp"
def silent(*_):
    raise OSError("no systemd")
systemd_bus.properties = silent
from roles.certificate.host import stock, switch
stock.PREPARED = switch.PREPARED = f"{place}/prepared.json"
switch.DROP_INS = f"{place}/units/*.conf"
sys.exit(switch.main())
"""
SYSTEMCTL = f"""#!{sys.executable}
import hashlib, json, os, sys, time
place = os.environ["PLACE"]
verb, name = sys.argv[1], sys.argv[-1]
state = f"{{place}}/state/{{name}}"
def write(path, text):
    with open(path, "w") as stream:
        stream.write(text)
if verb == "show":
    names = sys.argv[2].removeprefix("--property=").split(",")
    when, _, now = open(state).read().partition(" ")
    known = dict(LoadState="loaded", ActiveState=now, StateChangeTimestampMonotonic=when)
    print("\\n".join(f"{{one}}={{known.get(one, '')}}" for one in names))
    sys.exit()
with open(f"{{place}}/done", "a") as done:
    done.write(f"{{verb}} {{name}}\\n")
if os.path.exists(f"{{place}}/refuses-{{name}}"):
    sys.exit(f"{{name}} refuses")
if verb == "restart":
    write(state, f"{{time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6:.0f}} active")
    read = json.load(open(f"{{place}}/reads-{{name}}"))
    lines = [hashlib.sha256(open(path, "rb").read()).hexdigest() + f"  {{path}}\\n" for path in read]
    write(f"{{place}}/stamp/{{name}}", "".join(lines))
"""


class CertificateHost:
    """A host whose leaves were prepared `days` ago."""

    def __init__(self, place: Path, env: Environment, authority: Authority) -> None:
        self.place, self.authority = place, authority
        self.leaf, self.key, self.other = (place / name for name in ("leaf.pem", "leaf.key", "other.pem"))
        for name in ("state", "stamp", "units", "bin", "lib"):
            (place / name).mkdir()
        for file in plan(env, env.hosts[0]).files:
            if file.path.startswith(LIBRARY):
                path = place / "lib" / Path(file.path).relative_to(LIBRARY)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.data)
        program = place / "bin" / "systemctl"
        program.write_text(SYSTEMCTL)
        program.chmod(0o755)
        self.other.write_text("of others")

    @property
    def pair(self) -> Pair:
        """The leaf's files on this host."""
        return Pair(str(self.leaf), str(self.key), GROUP, self.authority, ("app1",))

    def prepare(self, days: float, ago: float) -> None:
        """Leaves for this many days, as a run prepared them `ago` days ago, and the current leaf of that run."""
        then = dt.datetime.now(dt.UTC) - dt.timedelta(days=ago)
        leaves: list[dict[str, Any]] = [
            {"begins": one.begins.timestamp(), "ends": one.expires.timestamp(),
             "certificate": one.certificate, "key": one.key}
            for one in self.authority.leaves(["app1"], days * DAY_SECONDS, then)
        ]  # fmt: skip
        empty = dict(stock("", [self.pair], [str(self.other)], 0))
        pair = {"certificate": str(self.leaf), "key": str(self.key), "group": GROUP, "leaves": leaves}
        prepared = self.place / "prepared.json"
        prepared.write_bytes(seal({**empty, "final": False, "pairs": [pair]}))
        prepared.chmod(0o600)
        self.leaf.write_text(leaves[0]["certificate"])
        self.key.write_text(leaves[0]["key"])

    def unit(self, unit: Unit, state: str = "active") -> None:
        """A unit in this state, stamped with the current files."""
        read = [*unit.restart_on, *unit.reload_on]
        said = json.dumps(asdict(unit))
        (self.place / "units" / f"{unit.name}.conf").write_text(f"[X-Nexus-COS]\nUnit={said}\n")
        (self.place / "state" / unit.name).write_text(f"0 {state}")
        (self.place / f"reads-{unit.name}").write_text(json.dumps(read))
        lines = [f"{digest(Path(path))}  {path}\n" for path in read]
        (self.place / "stamp" / unit.name).write_text("".join(lines))

    def start(self) -> tuple[int, str]:
        """Exit status and output of the program."""
        library = self.place / "lib"
        env = {"PATH": f"{self.place / 'bin'}:{os.environ['PATH']}", "PLACE": str(self.place)}
        words = [sys.executable, "-B", "-c", START]
        done = subprocess.run(
            words, env={**env, "PYTHONPATH": str(library)}, cwd="/", capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def done(self) -> list[str]:
        """The calls of systemctl since the last look."""
        path = self.place / "done"
        found = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    def stamp(self, name: str) -> dict[str, str]:
        """The stamp of a unit, {path: digest}."""
        lines = (self.place / "stamp" / name).read_text().splitlines()
        return {line[66:]: line[:64] for line in lines}


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
