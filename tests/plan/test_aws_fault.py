"""Faults of AWS and of the way to it: a run that is stopped anywhere is finished by the next one, with nothing twice.

All points are in tests/scenarios/test_cloud.py; these are a few of them.
"""

from __future__ import annotations

import pytest

from nexus.error import OperatorError
from nexus.provider.aws.comparison import comparison
from nexus.provider.aws.desired import desired
from nexus.provider.aws.instance import instance
from nexus.provider.aws.model import World
from nexus.provider.aws.provider import look, wish_of
from roles.table import ROLES
from tests.plan.aws_cloud import GROUPS, Account
from tests.plan.aws_faults import Faults
from tests.plan.aws_worlds import TINY, dry_run_is_the_run, interrupted

POINTS = [(1, True), (2, True), (14, True), (15, False), (40, True), (44, True)]


def test_stopped_at_a_call(account: Account) -> None:
    env = account.environment(TINY)
    account.provision(env)
    state, count = account.state(env), account.count()
    for point, lost in POINTS:
        account.empty()
        again = account.environment(TINY)
        interrupted(account, again, point, lost)
        assert account.state(again) == state
        assert account.count() == count
        assert account.plan(again).steps == []


def test_throttled_and_not_yet_visible(account: Account) -> None:
    env = account.environment(TINY)
    account.provision(env)
    calls = len(account.faults.requests)
    account.empty()
    account.faults = Faults(throttled=0.3, hidden_for=5, pending_for=3)
    env = account.environment(TINY)
    account.provision(env)
    tried = len(account.faults.requests)
    account.faults = Faults()
    assert account.plan(env).steps == []
    assert tried <= 3 * calls


def test_a_lost_answer_of_an_instance_makes_no_second_one(account: Account) -> None:
    """The next run does not see the instance yet, and asks for it again."""
    env = account.environment(TINY)
    plan = account.plan(env)
    for step in plan.steps:
        step.do()
        if step.what.startswith("Create instance") and "generation" in step.what:
            step.do()
    assert len(account.instances()) == len(TINY)


def test_a_changed_request_is_not_a_repeated_one(account: Account) -> None:
    account.provision(account.environment(TINY))
    world = look(account.cloud(), account.environment(TINY))
    changed = account.environment(TINY, aws_root_gibibytes=50)
    wish = wish_of(changed, ROLES, GROUPS, World())
    items = [item for item in desired(wish) if item.ref == instance("edge1")]
    [call] = [call for call in comparison(items, World()) if call.operation == "run_instances"]
    with pytest.raises(OperatorError, match="Undo the change of settings, or raise the host's aws_generation"):
        account.cloud().carry_out(call, world.known)


def test_a_cloud_that_stays_busy_is_told(account: Account) -> None:
    account.faults = Faults(throttled=1.0)
    with pytest.raises(OperatorError, match="RequestLimitExceeded"):
        account.plan(account.environment(TINY))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_dry_run_is_the_run(account: Account, seed: int) -> None:
    assert dry_run_is_the_run(account, seed) > 50
