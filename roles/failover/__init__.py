"""Planned and forced changes of a primary, and replicas that are copied anew."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from roles.failover import postgresql, redis
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.runbook import Act, act

NO_PRIMARY = "every node takes writes, and a queue's leader moves by itself when its node stops"


@deploy("Failover")
def failover() -> None:
    """Move the primary of a store to `--data to=HOST`, or to the replica that is best fit."""
    act("Fail over", _failover)


@deploy("Rebuild replica")
def rebuild_replica() -> None:
    """Copy the replica on `--data host=HOST` anew from the primary."""
    act("Rebuild a replica", _rebuild)


def _failover(run: Run) -> list[Act]:
    match run.environment.setting.store or "postgresql":
        case "postgresql":
            return postgresql.switch(run)
        case "redis":
            return redis.switch(run)
        case "rabbitmq":
            raise OperatorError(f"RabbitMQ has no primary to move: {NO_PRIMARY}")
        case store:
            raise OperatorError(
                f'store="{store}": failover knows postgresql (when nothing is said) and redis'
            )


def _rebuild(run: Run) -> list[Act]:
    store = run.environment.setting.store
    if store not in ("", "postgresql"):
        raise OperatorError(
            f'store="{store}": only replicas of PostgreSQL are rebuilt. Redis copies everything by itself when it '
            "restarts; a node of RabbitMQ or etcd is taken out and joins again by deploys/data.py"
        )
    return postgresql.rebuild(run)
