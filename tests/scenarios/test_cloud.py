"""Provider aws against moto's server behind the fault proxy, in full: no lab and no network is needed.

A few cases of each are in tests/plan/test_aws_fault.py.
"""

from __future__ import annotations

import random
import time

import pytest
from report import Figure

from tests.plan.aws_cloud import Account, account_, cloud_server_  # noqa: F401 - fixtures
from tests.plan.aws_faults import Faults
from tests.plan.aws_worlds import damage, dry_run_is_the_run, interrupted

WORLDS, DAMAGES = 50, 30
SECONDS_MAX = 1.0  # for a second run, without what other work on the machine takes
POINTS_MIN = 120


@pytest.mark.full
def test_interrupted_at_every_call(account: Account, figure: Figure) -> None:
    """Before each call, and after it with its answer lost; the next run has to reach the same world."""
    env = account.environment()
    calls = account.provision(env)
    state, count = account.state(env), account.count()
    passed = 0
    for point in range(1, calls + 1):
        for lost in (False, True):
            account.empty()
            again = account.environment()
            interrupted(account, again, point, lost)
            where = f"write {point} of {calls}, {'answer lost' if lost else 'not made'}"
            assert account.state(again) == state, where
            assert account.count() == count, where
            assert account.plan(again).steps == [], where
            passed += 1
    assert passed >= POINTS_MIN
    figure("AWS: points at which a creation was interrupted", passed)


@pytest.mark.full
def test_dry_run_is_the_run(account: Account, figure: Figure) -> None:
    figure("AWS: calls that a dry run foretold", sum(dry_run_is_the_run(account, seed) for seed in range(WORLDS)))


@pytest.mark.full
def test_damage_is_repaired(account: Account, chance: random.Random) -> None:
    env = account.environment()
    account.provision(env)
    for _ in range(DAMAGES):
        damage(account, env, chance)
        account.provision(env)
        assert account.plan(env).steps == []


@pytest.mark.full
def test_throttled_and_not_yet_visible(account: Account, figure: Figure) -> None:
    account.provision(account.environment())
    calls = len(account.faults.requests)
    account.empty()
    account.faults = Faults(throttled=0.3, hidden_for=5, pending_for=3)
    env = account.environment()
    account.provision(env)
    tried = len(account.faults.requests)
    account.faults = Faults()
    assert account.plan(env).steps == []
    figure("AWS: calls under faults, those without", f"{tried}, {calls}")
    assert tried <= 3 * calls


@pytest.mark.full
def test_a_second_run_is_quick(account: Account, figure: Figure) -> None:
    env = account.environment()
    account.provision(env)
    began = time.monotonic()
    assert account.plan(env).steps == []
    taken = time.monotonic() - began
    figure("AWS: a second run", taken)
    assert taken <= SECONDS_MAX
