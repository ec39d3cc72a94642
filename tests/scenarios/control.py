"""An environment of the lab in the hands of an operator: runs of pyinfra, logins, power, health from outside.

Nothing of the library runs on the hosts here: the claims of a run are verified by other means.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nexus.environment import inventory
from nexus.environment.environment import Environment
from nexus.provider import lab
from nexus.provider.lab.host import Host
from nexus.provider.lab.machine import wait_until
from roles.health.plan import probes

PROJECT = Path(__file__).resolve().parents[2]
REMOTE = Path(__file__).with_name("remote")
HELD = "is being changed by"  # message of a run that finds the lock taken
LOCK_SECONDS = 60
SILENT_SECONDS = 120  # until a run gives up hosts that no longer answer
RUN_SECONDS = 900
CLOSING = re.compile(r"^\w+: \d+ hosts?, (\d+) changes?(?: to make)?, (\d+)/(\d+) services healthy", re.MULTILINE)
CHANGE = re.compile(r"\]\s+(\w+): change (.+)")
Disturbance = AbstractContextManager[Any]


@dataclass(frozen=True)
class Outcome:
    """The exit status and output of one run of pyinfra."""

    status: int
    output: str
    seconds: float

    @property
    def closing(self) -> tuple[int, int, int]:
        """(changes, healthy services, all services) of the closing line; -1 if there is none."""
        found = CLOSING.search(self.output)
        return (int(found[1]), int(found[2]), int(found[3])) if found else (-1, -1, -1)

    @property
    def changes(self) -> list[str]:
        """Every change that the run announced, as "role: item: how"."""
        return [f"{role}: {what}" for role, what in CHANGE.findall(self.output)]

    @property
    def end(self) -> str:
        """The last lines, for a failed assertion."""
        return "\n".join(self.output.splitlines()[-40:])


def ended(running: subprocess.Popen[str], seconds: float) -> tuple[int, str]:
    """Exit status and output of a run; a run that does not end in time is killed with its process group."""
    try:
        text, _ = running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        text, _ = running.communicate()
    return running.returncode, text


class Control:
    """One environment of the lab, made and deployed by a checkout of the project."""

    def __init__(self, name: str = "lab", project: Path = PROJECT) -> None:
        self.name, self.project = name, project
        self.lab = lab.load(name)

    @cached_property
    def planned(self) -> Environment:
        """The environment for plans. It loads the secrets, so it works only after the first deploy."""
        return inventory.load(self.name)

    @property
    def names(self) -> list[str]:
        """Names of all hosts."""
        return [host.name for host in self.lab.hosts]

    def group(self, name: str) -> list[str]:
        """Names of a group's hosts."""
        return [host.name for host in self.lab.hosts if name in host.groups]

    def host(self, name: str) -> Host:
        """The host as the outer machine sees it: its power button and its disk."""
        return Host(self.lab, self.lab.host(name))

    # Runs

    def start(
        self,
        *arguments: str,
        deploy: str = "deploys/full.py",
        inventory: str = "inventory",
        data: Mapping[str, Any] | None = None,
        within: tuple[str, ...] = (),
    ) -> subprocess.Popen[str]:
        """Start a run in its own process group, by the command `within` if one is named.

        Stdout and stderr share one pipe.
        """
        binary = Path(sys.executable).with_name("pyinfra")
        words = [*within, str(binary), inventory, deploy, "-y", "-v", *arguments]
        for key, value in (data or {}).items():
            words += ["--data", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]
        return subprocess.Popen(
            words, cwd=self.project, env={**os.environ, "NEXUS_ENV": self.name, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip

    def run(self, *arguments: str, **rest: Any) -> Outcome:
        """One complete run; takes the arguments of `start`."""
        began = time.monotonic()
        running = self.start(*arguments, **rest)
        status, output = ended(running, RUN_SECONDS)
        return Outcome(status, output, time.monotonic() - began)

    def converged(self, data: Mapping[str, Any] | None = None) -> Outcome:
        """A run that must succeed with every service healthy; it waits until the lock of a killed run expires."""
        done, deadline = self.run(data=data), time.monotonic() + LOCK_SECONDS
        while done.status and HELD in done.output and time.monotonic() < deadline:
            time.sleep(2)
            done = self.run(data=data)
        assert done.status == 0, done.end
        assert "could not be released" not in done.output, done.end
        assert done.closing[1] == done.closing[2] > 0, done.end
        return done

    def killed(self, role: str, change: int, delay: float, **rest: Any) -> Outcome:
        """A run whose whole process group is killed `delay` seconds after a role's change of this number."""

        def kill(running: subprocess.Popen[str]) -> Disturbance:
            os.killpg(running.pid, signal.SIGKILL)
            return nullcontext()

        return self.disturbed(role, change, delay, kill, **rest)

    def disturbed(
        self, role: str, change: int, delay: float, disturb: Callable[[subprocess.Popen[str]], Disturbance], **rest: Any
    ) -> Outcome:
        """A run that is disturbed at that point; it must end within the context that `disturb` returns."""
        began, lines, seen = time.monotonic(), [], 0
        running = self.start(**rest)
        assert running.stdout
        for line in running.stdout:
            lines.append(line)
            found = CHANGE.search(line)
            seen += bool(found and found[1] == role)
            if seen > change:
                time.sleep(delay)
                break
        with disturb(running) if running.poll() is None else nullcontext():
            status, later = ended(running, SILENT_SECONDS)
        return Outcome(status, "".join(lines) + later, time.monotonic() - began)

    # Hosts

    def ssh(self, host: str, command: str, text: str = "", seconds: float = 60) -> str:
        """Standard output of a command on a host, as the deploy user; raises on an error."""
        words = ["ssh", "-F", str(self.lab.access / "ssh_config"), "-o", "BatchMode=yes"]
        done = subprocess.run(
            [*words, "-o", "ConnectTimeout=3", host, command],
            input=text, capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{host}: {command[:80]} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def ask(self, host: str, script: str, argument: Any = None, seconds: float = 120) -> Any:
        """The JSON that a script of tests/scenarios/remote prints on the host as root."""
        return json.loads(self.ssh(host, "sudo python3 -I -", _code(script, argument), seconds))

    def ask_here(self, script: str, argument: Any = None, seconds: float = 120) -> Any:
        """The same of this machine."""
        words = [sys.executable, "-I", "-"]
        code = _code(script, argument)
        done = subprocess.run(words, input=code, capture_output=True, text=True, timeout=seconds, check=True)
        return json.loads(done.stdout)

    def everywhere(self, ask: Callable[[str], Any], hosts: Sequence[str] | None = None) -> dict[str, Any]:
        """The same question to all hosts in parallel: {host: answer}."""
        names = list(hosts or self.names)
        with ThreadPoolExecutor(len(names)) as pool:
            return dict(zip(names, pool.map(ask, names), strict=True))

    def state(self) -> dict[str, Any]:
        """Everything that runs deploy on every host: {host: {kind: what}}; see remote/state.py."""
        ports = {"nginx": self.planned.setting.nginx_status_port, "router": self.planned.setting.router_port}
        return self.everywhere(lambda name: self.ask(name, "state.py", ports))

    def identity(self) -> dict[str, Any]:
        """Everything that stays the same without changes: processes, containers, versions of services."""
        return self.everywhere(lambda name: self.ask(name, "identity.py"))

    def renew(self) -> None:
        """Make the hosts bare again, with the same keys and secrets, as an operator who reinstalls them has."""
        for name in self.names:
            self.host(name).remove()
        lab.up(self.lab)
        self.__dict__.pop("planned", None)

    # Health

    def unhealthy(self) -> dict[str, str]:
        """Services that the router does not find ready, with the reason; all services if the router does not answer."""
        wanted = probes(self.planned)
        edge, port = self.group("edge")[0], self.planned.setting.router_port
        try:
            answers = self.ask(edge, "ready.py", {"port": port, "probes": wanted}, seconds=20)
        except (RuntimeError, subprocess.TimeoutExpired, ValueError) as error:
            return dict.fromkeys(wanted, str(error))
        return {name: why for name, why in answers.items() if why}

    def wait_healthy(self, seconds: float) -> float:
        """Seconds until every service is ready; fails with the reasons after a timeout."""
        began = time.monotonic()
        missing: dict[str, str] = {}

        def healthy() -> bool:
            nonlocal missing
            missing = self.unhealthy()
            return not missing

        if not wait_until(healthy, seconds, pause=0.5):
            reasons = "\n".join(f"{name}: {why}" for name, why in missing.items())
            raise AssertionError(f"after {seconds:.0f} s {len(missing)} services are not ready:\n{reasons}")
        return time.monotonic() - began

    # The machine outside

    def exists(self) -> bool:
        """Whether the environment has hosts on this machine."""
        return self.lab.directory.exists()

    def running(self) -> bool:
        """Whether every host of the environment runs and answers."""
        return self.exists() and all(self.host(name).answers() for name in self.names)


def _code(script: str, argument: Any) -> str:
    return (REMOTE / script).read_text().replace('"ARGUMENT"', repr(json.dumps(argument)))


def copy_of_project(target: Path, *, environment: str) -> Path:
    """A copy of the project as a second checkout for the same hosts: with their keys, without other local files."""
    left_out = (".venv", ".git", ".lab", "reports", "__pycache__", ".*_cache", "*.egg-info")
    shutil.copytree(PROJECT, target, ignore=shutil.ignore_patterns(*left_out))
    access = lab.load(environment).access
    shutil.copytree(access, target / access.relative_to(PROJECT), ignore=shutil.ignore_patterns("bench"))
    return target
