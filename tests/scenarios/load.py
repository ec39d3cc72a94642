"""Load on PostgreSQL that records acknowledged writes: writers on an app host, through the proxy there."""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from control import REMOTE, Control

from roles.certificate.plan import CA

SESSION = Path(__file__).parents[1] / "hosts/remote/proxy.py"
SERVICE = "auth-service"
TABLE = "written"
WRITERS = 20
PAUSE_SECONDS = 0.0  # pause of a writer between two writes
PATIENCE_SECONDS = 8  # of one statement: a write that waits longer for a second host is abandoned


@dataclass(frozen=True)
class Written:
    """The results of the writes of one load."""

    acknowledged: dict[str, float]  # id -> time, by the clock of the writing host
    doubtful: list[str]
    errors: dict[str, int]

    def through(self, name: str) -> list[float]:
        """Times of acknowledged writes to this target, in order."""
        return sorted(when for what, when in self.acknowledged.items() if what.split("-")[1] == name)

    def longest_gap(self, name: str = "proxy") -> float:
        """The longest time between two acknowledged writes, in seconds."""
        times = self.through(name)
        return max((later - sooner for sooner, later in pairwise(times)), default=float("inf"))


class Load:
    """Writers that run until they are stopped."""

    def __init__(self, control: Control, seconds: float = 180, also: dict[str, str] | None = None) -> None:
        """`also` names more targets that bypass the proxy, {name: address}, each with four writers."""
        self.control, self.host = control, control.group("app")[0]
        self.stop_file = f"/tmp/stop-{uuid.uuid4().hex}"
        env = control.planned
        address, port = env.store("postgresql")
        user, password = env.login("postgresql", SERVICE)
        targets = [{"name": "proxy", "address": address, "port": port, "writers": WRITERS}]
        for name, direct in (also or {}).items():
            targets.append({"name": name, "address": direct, "port": env.setting.postgresql_port, "writers": 4})
        self.login = [user, password, env.catalogue.service(SERVICE).database]
        self.asked: dict[str, Any] = {
            "seconds": seconds, "stop": self.stop_file, "run": uuid.uuid4().hex[:8], "table": TABLE, "ca": CA,
            "login": self.login, "targets": targets, "patience": PATIENCE_SECONDS,
            "pause": PAUSE_SECONDS,
        }  # fmt: skip
        self.names = [str(target["name"]) for target in targets]
        self.pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Load:
        self.sql(f"create table if not exists {TABLE} (id text primary key)")
        self.running: Future[str] = self.pool.submit(self._run, "writer.py", self.asked, self.asked["seconds"] + 60)
        return self

    def __exit__(self, *_: object) -> None:
        self.control.ssh(self.host, f"touch {self.stop_file}")
        self.running.exception(timeout=self.asked["seconds"] + 60)
        self.control.ssh(self.host, f"rm -f {self.stop_file}")

    def written(self) -> Written:
        """The records of the writers; only after they stopped."""
        return Written(**json.loads(self.running.result()))

    def lost(self, written: Written) -> list[str]:
        """Acknowledged ids that the primary does not have."""
        there = {row[0] for row in self.sql(f"select id from {TABLE} where id like '{self.asked['run']}-%'")}
        return sorted(set(written.acknowledged) - there)

    def sql(self, text: str, seconds: float = 90) -> list[list[str]]:
        """Rows of a statement through the proxy, as soon as a primary answers."""
        target = self.asked["targets"][0]
        deadline = time.monotonic() + seconds
        argument = {"address": target["address"], "port": target["port"], "login": self.login, "text": text}
        while True:
            try:
                rows: list[list[str]] = json.loads(self._run("statement.py", {**argument, "ca": CA}, 60))
                return rows
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def _run(self, script: str, argument: Any, seconds: float) -> str:
        code = SESSION.read_text() + (REMOTE / script).read_text().replace('"ARGUMENT"', repr(json.dumps(argument)))
        return self.control.ssh(self.host, "python3 -I -", code, seconds)
