"""Pages show what was found: a difference between plan and hosts stops them, or is named by them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from runbooks.handoff import observation as stored
from runbooks.handoff.contract import TREE
from runbooks.handoff.handoff import Handoff
from runbooks.handoff.page import pages
from runbooks.handoff.truth import differences
from tests.plan.handoff_world import AT, COMMIT, EDITS, MISSED, RUN, Observation, edited, lab, observation

SEEDED = 30


@pytest.fixture(scope="module")
def env() -> Environment:
    return lab()


@pytest.fixture(scope="module")
def seen(env: Environment) -> Observation:
    return observation(env)


def test_hosts_as_planned_have_no_difference(env: Environment, seen: Observation) -> None:
    assert differences(env, COMMIT, seen) == []
    assert Handoff.of(env, COMMIT, seen).differences == []


def test_there_are_enough_seeded_differences() -> None:
    assert len(EDITS) + len(MISSED) == SEEDED


@pytest.mark.parametrize("name", EDITS)
def test_difference_stops_the_pages(
    env: Environment, seen: Observation, name: str, request: pytest.FixtureRequest
) -> None:
    changed, words = edited(seen, name, random.Random(request.config.getoption("--seed")))
    with pytest.raises(OperatorError, match="plan and hosts differ, so no pages are made") as raised:
        Handoff.of(env, COMMIT, changed)
    assert words in str(raised.value)
    assert "drift=allow" in str(raised.value)


def test_missed_targets_are_on_the_pages(env: Environment, seen: Observation, request: pytest.FixtureRequest) -> None:
    chance, changed, named = random.Random(request.config.getoption("--seed")), seen, []
    for name in MISSED:
        changed, words = edited(changed, name, chance)
        named.append(words)
    made = pages(Handoff.of(env, COMMIT, changed))
    readme = made[f"{TREE}/README.md"].partition("## Targets that were missed")[2]
    assert [words for words in named if words not in readme] == []
    count = f"{len(MISSED)} targets missed"
    assert [path for path, text in made.items() if path.endswith(".md") and count not in text] == []


def test_allowed_differences_are_on_the_pages(
    env: Environment, seen: Observation, request: pytest.FixtureRequest
) -> None:
    """The README lists each one, and every page says how many there are."""
    chance = random.Random(request.config.getoption("--seed"))
    changes = [edited(seen, name, chance) for name in EDITS]
    found = [one for changed, _ in changes for one in differences(env, COMMIT, changed)]
    made = pages(Handoff(env, COMMIT, seen, found))
    readme = made[f"{TREE}/README.md"].replace("\\", "")
    assert [words for _, words in changes if words not in readme] == []
    count = f"{len(found)} differences"
    assert [path for path, text in made.items() if path.endswith(".md") and count not in text] == []


def test_a_page_names_the_difference_of_its_service(env: Environment, seen: Observation) -> None:
    changed = json.loads(json.dumps(seen))
    changed["services"]["glitch"]["tasks"] = "1 of 3 runs"
    found = pages(Handoff.of(env, COMMIT, changed, allow=True))
    assert "Plan and hosts differ here" in found[f"{TREE}/services/glitch.md"]
    assert "Plan and hosts differ here" not in found[f"{TREE}/services/auth-service.md"]


def test_pages_say_when_and_by_which_run(env: Environment, seen: Observation) -> None:
    found = pages(Handoff.of(env, COMMIT, seen))
    wrong = [path for path, text in found.items() if path.endswith(".md") and not (AT in text and RUN in text)]
    assert wrong == []
    assert "primary data3, named by 3 of 3 Sentinels" in found[f"{TREE}/operations/runbook-failover.md"]
    assert "sha256:5555" in found[f"{TREE}/services/auth-service.md"]
    assert "1.26.3-3" in found[f"{TREE}/architecture/infrastructure-diagram.md"]


def test_kept_replicas_are_no_difference(env: Environment) -> None:
    """`deploys/scale.py` sets them, and the environment keeps them."""
    kept = {"replicas glitch": {"value": 2}}
    scaled = env.with_facts([], {}, kept)
    changed = {**observation(scaled), "kept": kept}
    assert changed["services"]["glitch"]["replicas"] == 2
    assert Handoff.of(env, COMMIT, changed).differences == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read: No such file"),
        ("nonsense", "this is not an observation"),
        ("[]", "this is not an observation"),
        ('{"format": 0, "environment": "lab"}', "another version of this project wrote"),
        ('{"format": 1, "environment": "staging"}', "observation of staging, and not of lab"),
    ],
)
def test_a_file_that_is_no_observation(env: Environment, tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "observation.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(OperatorError, match=f"{said}.*make handoff"):
        stored.load(path, env)


def test_an_observation_is_stored_and_read(
    env: Environment, seen: Observation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nexus.project._root", tmp_path)
    assert stored.load(stored.store(env, seen), env) == json.loads(json.dumps(seen))
