"""The ways to bring hosts to the same state: how each is started, and the number of changes that it reports."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import PROJECT, WORK

PEERS = PROJECT / "benchmarks" / "peers"
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Way:
    """One way; `changes` reads the number of changes from its output, None if it reports none."""

    name: str
    title: str
    command: tuple[str, ...]
    cwd: Path
    changes: Callable[[str], int | None]
    environment: Mapping[str, str] = field(default_factory=dict)
    slow: bool = False  # minutes rather than seconds on eight hosts
    cases: tuple[str, ...] = ("noop", "changed", "first", "bare")

    def missing(self) -> str | None:
        """The reason why it cannot run here; None if it can."""
        if not Path(self.command[0]).exists():
            return f"{self.command[0]} is not installed: make .venv/bench"
        return None


def _kit_changes(output: str) -> int | None:
    found = re.search(r"^slice: \d+ hosts?, (\d+) changes?(?!.*INCOMPLETE)", output, re.MULTILINE)
    return int(found[1]) if found else None


def _pyinfra_changes(output: str) -> int | None:
    """Changed operations over all hosts: the column "Success" of the last table."""
    found = re.search(r"Grand total\s+\S+\s+(\d+|-)\s", re.sub(r"\x1b\[\d*m", "", output))
    return int(found[1].replace("-", "0")) if found else None


def _ansible_changes(output: str) -> int | None:
    found = re.findall(r"^\S+\s+: ok=\d+\s+changed=(\d+)", output, re.MULTILINE)
    return sum(map(int, found)) if found else None


def _mitogen() -> dict[str, str]:
    place = importlib.util.find_spec("ansible_mitogen")
    folder = Path(place.submodule_search_locations[0]) if place and place.submodule_search_locations else BIN
    return {"ANSIBLE_STRATEGY_PLUGINS": str(folder / "plugins" / "strategy"), "ANSIBLE_STRATEGY": "mitogen_linear"}


def ways() -> dict[str, Way]:
    """All ways by name, ours first."""
    work = {"NEXUS_BENCH_WORK": str(WORK)}
    playbook = ("-i", str(WORK / "inventory.ini"), "-e", f"@{WORK / 'slice.json'}", "playbook.yml")
    ansible = (str(BIN / "ansible-playbook"), *playbook)
    config = {
        "ANSIBLE_CONFIG": "ansible.cfg",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(WORK / "control"),
        "ANSIBLE_LOCAL_TEMP": str(WORK / "temporary"),
    }
    # Not as "pyinfra": that refuses to start anywhere but at the top of this project.
    stock = (sys.executable, "-c", "from pyinfra_cli.main import main; main()", "inventory.py", "deploy.py", "-y")
    ours = (str(BIN / "pyinfra"), "benchmarks/inventory/slice.py", "benchmarks/deploys/slice.py", "-y")
    found = (
        Way("kit", "our kit", ours, PROJECT, _kit_changes),
        Way(
            "limit",
            "limit: the probe's command on warm connections",
            (sys.executable, "-m", "benchmarks.limit"),
            PROJECT,
            lambda output: 0,
            cases=("noop",),
        ),
        Way(
            "pyinfra-nodelay",
            "idiomatic pyinfra, TCP_NODELAY",
            stock,
            PEERS / "pyinfra",
            _pyinfra_changes,
            work | {"NEXUS_BENCH_NODELAY": "1"},
        ),
        Way("pyinfra", "idiomatic pyinfra", stock, PEERS / "pyinfra", _pyinfra_changes, work),
        Way("mitogen", "Ansible with Mitogen", ansible, PEERS / "ansible", _ansible_changes, config | _mitogen()),
        Way("ansible", "Ansible", ansible, PEERS / "ansible", _ansible_changes, config, slow=True),
    )
    return {way.name: way for way in found}
