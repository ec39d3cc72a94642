"""The migration of a service before its release: once, in the new image, after a restore point is made.

The catalogue requires that the old release can run after the migration. It does so until the new one replaces it, and
again after a rollback, which leaves the database as it is.
"""

from datetime import UTC, datetime
from typing import Any

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from nexus.run.run import Run
from nexus.run.runbook import carry_out
from roles.postgresql.plan import plan as postgresql_plan
from roles.service.contents import CREDENTIALS, env_file, item_name, migration_credentials
from runbooks.release.context import HERE, Situation
from runbooks.release.plan import Step, work
from runbooks.release.record import record_of

MIGRATING, POINT = HERE / "host/migrate.py", HERE / "host/restore_point.py"


def due(env: Environment, step: Step) -> bool:
    """Whether the service has a migration that has not run for this image."""
    migrated = record_of(env, step.name).get("migrated", "")
    return bool(env.catalogue.service(step.name).migration) and migrated != step.after.digest


def migrate(situation: Situation, step: Step) -> str:
    """Make a restore point, run the migration, return the restore point's name; OperatorError if it fails."""
    env = situation.env
    point = restore_point(situation.run, env, step)
    work = job(env, env.catalogue.service(step.name), step)
    carry_out(situation.run, situation.leader, f"migrate {step}", MIGRATING, "migrate", work)
    return point


def restore_point(run: Run, env: Environment, step: Step) -> str:
    """Make a restore point in the log of PostgreSQL and return its name; nothing if no host of ours has the data."""
    if "postgresql" not in env.catalogue.service(step.name).stores or not env.group("postgresql"):
        return ""
    point = f"nexus-{step.name}-{step.after.release}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"[:63]
    host = env.speaker("postgresql")
    (state,) = (state for state in postgresql_plan(env, host).states if state.name == "postgresql")
    carry_out(run, host.name, "make a restore point", POINT, "make", {**state.context, "point": point})
    return point


def job(env: Environment, service: Service, step: Step) -> dict[str, Any]:
    """The migration as a service of the swarm that runs once and is not restarted."""
    plan = work(env, {step.name: step.after})
    content = plan["definitions"][step.name]
    text = env_file(migration_credentials(env, service))
    credentials = item_name(env, f"secret {step.name}-migration", text)
    mounted = [
        {**secret, "source": credentials.partition(" ")[2]} if secret["target"] == CREDENTIALS else secret
        for secret in content["secrets"]
    ]
    deploy = {key: value for key, value in content["deploy"].items() if not key.endswith("_config")}
    deploy |= {"replicas": 1, "restart_policy": {"condition": "none"}}
    definition = {**content, "secrets": mounted, "command": list(service.migration), "deploy": deploy}
    definition["healthcheck"] = {"test": ["NONE"]}
    return {
        "name": f"{step.name}-migration",
        "definition": definition,
        "contents": {**plan["contents"], credentials: text},
        "seconds": int(env.setting.release_migration_seconds),
    }
