"""Every run that README and docs tell operators to start, tried by --dry, or as it is where it only looks."""

from __future__ import annotations

import random
from pathlib import Path

import documented
import pytest
from control import Control

from nexus.run.arguments import declared
from runbooks.handoff.__main__ import environment
from runbooks.handoff.commit import commit
from runbooks.handoff.handoff import Handoff
from runbooks.handoff.page import pages

SAMPLE = 6
OTHERS = ("deploys/provision.py", "inventory/")  # run by the lab itself; other environments
FILLED_IN = {"host=HOST": "host=app2", "item=ITEM": "item=nginx"}
MISSED = "missed: "  # a target of status, which is not at stake here
REFUSED = {  # rightly: by --dry, and on a platform where nothing of it has happened yet
    "release=2.4.1": "the registry has no complete image of",
    "to=2.3.0": "was never at release",
    "apply=plan.json": "apply= carries out a plan: drop --dry",
    "to=2026-11-22T19:00:00Z": "no earlier moment can be restored",
    "service=playlist-mgr": "has no such service",  # the example of a 44th service
    "rebuild_replica.py": "is the primary, which cannot be rebuilt",
    "rotate_secrets.py": "no rotation is in progress",
    "kubernetes.py": "names no cluster",  # tests/kubernetes has one
}
COMMANDS = [command for command in documented.deploys() if not any(word in command for word in OTHERS)]


def handed_over() -> list[str]:
    """Runs that the runbooks of the handoff name and no other page does."""
    found = pages(Handoff.of(environment("lab", {}), commit(), None))
    runbooks = {path: text for path, text in found.items() if "/operations/" in path or "/" not in path}
    known = documented.commands_in(runbooks)
    return [command for command in known if command.startswith("pyinfra ") and command not in COMMANDS]


@pytest.mark.parametrize("source", ["docs", "handoff"])
def test_documented_runs_work(control: Control, full: bool, chance: random.Random, tmp_path: Path, source: str) -> None:
    commands = COMMANDS if source == "docs" else handed_over()
    wrong = []
    for command in commands if full else chance.sample(commands, SAMPLE):
        _, _, deploy, *words = [FILLED_IN.get(word, word) for word in command.split() if word != "-y"]
        words = [word.replace("plan.json", str(tmp_path / "plan.json")) for word in words]
        done = control.run(*words, *([] if declared(Path(deploy)).read_only else ["--dry"]), deploy=deploy)
        said = next((said for word, said in REFUSED.items() if word in command), MISSED)
        if "Traceback" in done.output or (done.status and said not in done.output):
            wrong.append(f"{command}: {done.status}: {done.end}")
    assert wrong == [], "\n\n".join(wrong)


@pytest.mark.parametrize("word", FILLED_IN)
def test_a_placeholder_is_used(word: str) -> None:
    assert any(word in command for command in COMMANDS)
