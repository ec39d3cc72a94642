"""Seeded mistakes in rendered objects are caught; the full series is in tests/scenarios/test_kubernetes.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.kubernetes import check
from runbooks.kubernetes.item import Object
from runbooks.kubernetes.render import render
from tests.plan.kubernetes_environment import environment
from tests.plan.kubernetes_mutation import MAKERS, Mutation, draw

SAMPLE = 12


def caught(mutation: Mutation, clean: list[Object], wanted: check.Expected) -> tuple[bool, bool]:
    """Whether the schemas find the mistake, and whether our own checks do."""
    if len(mutation.objects) == len(clean):
        changed = [new for new, old in zip(mutation.objects, clean, strict=True) if new != old]
        assert changed, f"{mutation}: changes nothing"
    else:
        changed = []
    return bool(check.schema.findings(changed, check.schema.VERSIONS[-1:])), bool(
        check.own_findings(mutation.objects, wanted)
    )


def test_a_sample_of_mistakes(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    env = environment(tmp_path)
    clean, wanted = render(env).everything, check.expected(env)
    seed = int(pytestconfig.getoption("--seed"))
    mutations = [draw(clean, seed, number * len(MAKERS) // SAMPLE) for number in range(SAMPLE)]
    assert len({mutation.kind for mutation in mutations}) == SAMPLE
    missed = [str(mutation) for mutation in mutations if not any(caught(mutation, clean, wanted))]
    assert missed == []
