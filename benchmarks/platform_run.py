"""Runs of the platform's own deploys on the lab, each with its cost."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from benchmarks import PROJECT, WORK, distance, simulated
from benchmarks.hosts import Fleet
from benchmarks.meter import Cost, measure
from nexus.environment.environment import Environment, Traits
from nexus.provider import lab
from nexus.provider.lab.host import Host

CLOSING = re.compile(r"^\w+: \d+ hosts?, (\d+) changes?(?:, (\d+)/(\d+) services healthy)?(.*)$", re.MULTILINE)
SECONDS = 1800
LEFT_OUT = (".venv", ".git", "reports", "results", "__pycache__", ".*_cache", "*.egg-info", "bench")


@dataclass(frozen=True)
class Done:
    """One run: its cost, its output, the sessions that it opened on all hosts (None: not counted)."""

    cost: Cost
    output: str
    sessions: int | None = None

    @property
    def changes(self) -> int:
        """Changes in the closing line; -1 without one, or if the run did not complete."""
        found = CLOSING.search(self.output)
        return int(found[1]) if found and "INCOMPLETE" not in found[4] and not self.cost.status else -1

    @property
    def healthy(self) -> bool:
        """Whether every service was found healthy at the end."""
        found = CLOSING.search(self.output)
        return bool(found and found[2] and found[2] == found[3] and not self.cost.status)


def run(
    *arguments: str,
    deploy: str = "deploys/full.py",
    inventory: str = "inventory",
    project: Path = PROJECT,
    environment: Mapping[str, str] | None = None,
    counted: bool = False,
    name: str = "full",
) -> Done:
    """One run of pyinfra with -y; `counted` through the launcher that counts sessions."""
    tally = WORK / "sessions.json"
    tally.unlink(missing_ok=True)
    launcher = [sys.executable, "-m", "benchmarks.counted"] if counted else [_beside("pyinfra")]
    variables = {"NEXUS_ENV": "lab", "NEXUS_BENCH_COUNT": str(tally), **(environment or {})}
    log = WORK / "log" / f"{name}.log"
    cost = measure([*launcher, inventory, deploy, "-y", *arguments], project, variables, log, SECONDS)
    sessions = sum(json.loads(tally.read_text()).values()) if tally.exists() else None
    return Done(cost, log.read_text(errors="replace"), sessions)


def stock(fleet: Fleet) -> Cost:
    """One run of pyinfra without anything of this project: `true` on the same hosts."""
    access = fleet.access
    data = {
        "ssh_user": "deploy",
        "ssh_key": str(access / "id_ed25519"),
        "ssh_known_hosts_file": str(access / "known_hosts"),
        "ssh_strict_host_key_checking": "yes",
    }
    hosts = [(host.name, {**data, "ssh_hostname": host.address}) for host in fleet.hosts]
    command = [_beside("pyinfra"), "inventory.py", "exec", "-y", "--", "true"]
    with tempfile.TemporaryDirectory() as place:  # inside the project its config.py would take effect
        Path(place, "inventory.py").write_text(f"lab = {hosts!r}\n")
        return measure(command, Path(place), {}, WORK / "log" / "stock.log", SECONDS)


def verify() -> Done:
    """All checks of all hosts, as `make verify` runs them."""
    log = WORK / "log" / "verify.log"
    command = [_beside("pytest"), "tests/hosts", "-q", "-p", "no:cacheprovider"]
    cost = measure(command, PROJECT, {"NEXUS_ENV": "lab"}, log, SECONDS)
    return Done(cost, log.read_text(errors="replace"))


def lab_fleet() -> Fleet:
    """The eight hosts of the lab as they are; RuntimeError if they are not up."""
    environment = lab.load("lab")
    hosts = tuple(Host(environment, host) for host in environment.hosts)
    if missing := [host.name for host in hosts if not host.answers()]:
        raise RuntimeError(f"{', '.join(missing)} of the lab do not answer: `make deploy` first")
    _know(hosts)
    return Fleet(hosts, environment.access)


def _know(hosts: Iterable[Host]) -> None:
    """Write the hosts' keys under the relay's addresses."""
    WORK.mkdir(parents=True, exist_ok=True)
    keys = (" ".join(host.host_key().split()[:2]) for host in hosts)
    lines = (f"[127.0.0.1]:{distance.PORT + number} {key}\n" for number, key in enumerate(keys))
    (WORK / "known_hosts.lab").write_text("".join(lines))


def renew(fleet: Fleet) -> None:
    """Make the hosts bare again, with the same login and secrets; host keys are new."""
    for host in fleet.hosts:
        host.remove()
    lab.up(lab.load("lab"))
    _know(fleet.hosts)


@contextmanager
def resting(fleet: Fleet) -> Iterator[None]:
    """Switch the platform's hosts off, and bring them back healthy afterwards: they use a third of a core."""
    with ThreadPoolExecutor(len(fleet.hosts)) as pool:
        list(pool.map(Host.poweroff, fleet.hosts))
    try:
        yield
    finally:
        lab.up(lab.load("lab"))
        if not (done := run(name="rested")).healthy:
            raise RuntimeError(f"the platform did not come back:\n{done.output[-2000:]}")


def copy_of_project() -> Path:
    """A second checkout for the same hosts, which can be edited."""
    target = WORK / "copy"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(PROJECT, target, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return target


def edit_memory(project: Path, service: str) -> None:
    """Change one service's memory in the copy's catalogue, which changes its heap limit and so its configuration."""
    path = project / "group_data" / "catalogue" / "services.yaml"
    text = path.read_text()
    entry = re.compile(rf"(  - name: {re.escape(service)}\n(?:    .*\n)*?    memory: )(\S+)")
    edited, count = entry.subn(lambda found: f"{found[1]}{_other(found[2])}", text)
    if count != 1:
        raise RuntimeError(f"{path}: no memory of {service} was found")
    path.write_text(edited)


def task_times(fleet: Fleet, service: str) -> tuple[float, float]:
    """When a service's newest running task was created and became healthy, as the swarm recorded it (Unix time)."""
    manager = next(host for host in fleet.hosts if "app" in fleet_groups(fleet, host.name))
    script = (
        "docker inspect --format '{{json .CreatedAt}} {{json .Status.Timestamp}}' "
        f"$(docker service ps -q --filter desired-state=running nexus_{service})"
    )
    text = Fleet((manager,), fleet.access).everywhere(script)[0]
    rows = [[datetime.fromisoformat(json.loads(word)) for word in line.split()] for line in text.splitlines()]
    created, running = max(rows)
    return created.timestamp(), running.timestamp()


def fleet_groups(fleet: Fleet, name: str) -> tuple[str, ...]:
    """Groups of a host in the inventory."""
    return fleet.hosts[0].environment.host(name).groups


def environment_of(name: str) -> Environment:
    """The environment of one of the benchmark's inventories, loaded as `inventory.load` loads the project's."""
    from nexus.environment import inventory

    inventory.file_of = lambda name: PROJECT / "benchmarks" / "inventory" / f"{name}.py"
    return inventory.load(name)


def with_traits(env: Environment) -> Environment:
    """The environment as if all hosts had answered."""
    traits = Traits(**simulated.TRAITS)
    return env.with_facts([replace(host, traits=traits) for host in env.hosts], {})


def _other(memory: str) -> str:
    number, unit = re.fullmatch(r"(\d+)(\w+)", memory).groups()  # type: ignore[union-attr]
    return f"{int(number) * 2}{unit}"


def _beside(program: str) -> str:
    return str(Path(sys.executable).parent / program)
