"""A single edit of the catalogue changes exactly the pages that name its value; tests/scenarios has 100 edits."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.plan.handoff_edits import EDITS, made, wrong
from tests.plan.handoff_world import lab

SAMPLE = 8


def test_edit_changes_the_pages_that_name_it(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    chance = random.Random(request.config.getoption("--seed"))
    before = made(lab())
    found = {
        name: wrong(name, before, tmp_path / name.replace(" ", "-"), chance)
        for name in chance.sample(sorted(EDITS), SAMPLE)
    }
    assert {name: pages for name, pages in found.items() if pages} == {}
