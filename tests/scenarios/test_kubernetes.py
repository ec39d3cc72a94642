"""Objects of Kubernetes in full: every object in every version, and how many seeded mistakes the checks catch.

No lab and no cluster is needed. A few cases of each are in tests/plan/test_kubernetes_mistake.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from report import Figure

from runbooks.kubernetes import check
from runbooks.kubernetes.render import render
from tests.plan.kubernetes_environment import environment
from tests.plan.kubernetes_mutation import MAKERS, draw
from tests.plan.test_kubernetes_mistake import caught

ROUNDS = 4  # of every class of mistakes
LEAST = 200
SHARE_MIN = 0.95


@pytest.mark.full
def test_every_version_accepts_every_object(tmp_path: Path, figure: Figure) -> None:
    objects = render(environment(tmp_path), applied=True).everything
    figure("Kubernetes: objects, versions of the schema", f"{len(objects)}, {len(check.schema.VERSIONS)}")
    assert check.schema.findings(objects, check.schema.VERSIONS) == []


@pytest.mark.full
def test_mistakes_are_caught(tmp_path: Path, pytestconfig: pytest.Config, figure: Figure) -> None:
    env = environment(tmp_path)
    clean, wanted = render(env).everything, check.expected(env)
    seed = int(pytestconfig.getoption("--seed"))
    mutations = [draw(clean, seed, number) for number in range(ROUNDS * len(MAKERS))]
    assert len(mutations) >= LEAST
    found = {str(mutation): caught(mutation, clean, wanted) for mutation in mutations}
    schema = sum(by_schema for by_schema, _ in found.values())
    either = sum(any(pair) for pair in found.values())
    figure("Kubernetes: mistakes, caught, by schemas alone", f"{len(mutations)}, {either}, {schema}")
    missed = [name for name, pair in found.items() if not any(pair)]
    assert either >= SHARE_MIN * len(mutations), "\n".join(missed)
