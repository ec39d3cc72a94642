"""The content security policies of all front ends, judged by csp_evaluator."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from roles.frontend import npm
from roles.frontend.site import by_slug
from roles.frontend.source import Source
from roles.nginx.front_end import front_ends, policy
from tests.plan.real_edge import environment

FOLDER = Path(__file__).parents[1] / "fixtures/policy"
# Findings of these severities fail a policy; all others are advice.
BAD = ("HIGH", "SYNTAX", "MEDIUM", "HIGH_MAYBE")
Findings = Mapping[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return environment(tmp_path_factory.mktemp("policy"))


def evaluated(env: Environment, policies: Mapping[str, str]) -> Findings:
    """{name: findings} of policies; skipped where csp_evaluator cannot be installed."""
    files = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    try:
        npm.check()
        folder = npm.installed(env, Source(by_slug(env)["portal"], files, True, {}, str(FOLDER)))
    except npm.NotHere as why:
        pytest.skip(f"csp_evaluator cannot be installed here: {why}")
    words = ["node", str(FOLDER / "evaluate.cjs"), str(folder)]
    done = subprocess.run(words, input=json.dumps(policies), capture_output=True, text=True, check=True)
    found: Findings = json.loads(done.stdout)
    return found


def test_no_policy_of_a_front_end_is_weak(env: Environment) -> None:
    setting = env.hosts[0].setting
    policies = {page.site.slug: page.csp or policy(env, setting) for page in front_ends(env, setting)}
    assert len(policies) == 16
    assert len(set(policies.values())) > 1
    found = evaluated(env, policies)
    assert found.keys() == policies.keys()
    assert [(name, each) for name, about in found.items() for each in about if each["severity"] in BAD] == []


@pytest.mark.parametrize(
    ("before", "after", "directive"),
    [
        ("script-src 'self'", "script-src 'self' 'unsafe-inline'", "script-src"),
        ("script-src 'self'", "script-src 'self' https:", "script-src"),
        ("base-uri 'none'", "base-uri *", "base-uri"),
        ("object-src 'none'; ", "", "object-src"),
    ],
)
def test_a_weak_policy_is_found(env: Environment, before: str, after: str, directive: str) -> None:
    whole = policy(env, env.hosts[0].setting)
    assert before in whole
    weak = whole.replace("default-src 'self'; ", "").replace(before, after)
    found = evaluated(env, {"weak": weak})["weak"]
    assert directive in {each["directive"] for each in found if each["severity"] in BAD}, found
