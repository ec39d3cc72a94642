"""The migration of a service before its release: once, in the new image, after a restore point is made.

The catalogue requires that the old release can run after the migration. It does so until the new one replaces it, and
again after a rollback, which leaves the database as it is.
"""

from datetime import UTC, datetime
from typing import Any

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from nexus.run.runbook import carry_out
from roles.postgresql.plan import plan as postgresql_plan
from roles.service.contents import CREDENTIALS, env_file, item_name, migration_credentials
from roles.service.released import key
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
    env, run = situation.env, situation.run
    service = env.catalogue.service(step.name)
    point = ""
    if "postgresql" in service.stores and env.present("postgresql"):
        point = f"nexus-{step.name}-{step.after.release}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"[:63]
        host = env.speaker("postgresql")
        (state,) = (state for state in postgresql_plan(env, host).states if state.name == "postgresql")
        context = {**state.context, "point": point}
        carry_out(run, host.name, "make a restore point", POINT, "make", context)
    carry_out(run, situation.leader, f"migrate {step}", MIGRATING, "migrate", job(env, service, step))
    record = {**record_of(env, step.name), "migrated": step.after.digest, "restore_point": point}
    situation.keep({key(step.name): record})
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
