"""Secrets are rotated on a running platform: every service stays ready, and old secrets no longer work.

On the lab, or with NEXUS_ENV on an environment that is up.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from conftest import Figure
from control import REMOTE, Control
from readiness import Readiness

from nexus.environment import inventory
from nexus.environment.environment import Environment
from nexus.provider import lab
from roles.certificate.plan import CA
from roles.rabbitmq.users import ADMIN as BROKER_ADMIN
from roles.redis.instance import instance_of
from roles.redis.users import OWN
from roles.registry.plan import login, registry_host
from runbooks.secret.rotation import unfinished

AMQP = Path(__file__).parents[1] / "hosts/remote/rabbitmq.py"
DEPLOY = "deploys/rotate_secrets.py"
POINTS = 10
ONE = "postgresql/auth-service"
ROLES = ("redis", "sentinel", "rabbitmq", "postgresql", "registry", "docker", "service")
REASON = lab.reason_lab_cannot_run()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no lab on this machine: {REASON}")


def doors(env: Environment) -> dict[str, dict[str, Any]]:
    """Every login at a store of the first data host, as clients use it now."""
    setting = env.setting
    found: dict[str, dict[str, Any]] = {}

    def door(name: str, kind: str, address: str, port: int, user: str, password: str, **more: Any) -> None:
        found[name] = {"kind": kind, "address": address, "port": port, "user": user, "password": password, **more}

    for service in env.catalogue.services.values():
        for store in {"postgresql", "rabbitmq"} & set(service.stores):
            user, password = env.login(store, service.name)
            port, address = int(setting[f"{store}_port"]), env.group(store)[0].address
            own = {"database": service.database, "vhost": service.name}
            door(f"{store}/{service.name}", store, address, port, user, password, **own)
        if "redis" in service.stores:
            name, port = f"redis/{service.name}", instance_of(service).port(setting)
            door(name, "redis", env.group("redis")[0].address, port, service.name, env.secret(name))
    for secret, user in OWN.items():
        name = f"redis/{secret}"
        door(name, "redis", env.group("redis")[0].address, int(setting.redis_port), user, env.secret(name))
        door(f"{name} at Sentinel", "redis", env.group("redis")[0].address, int(setting.sentinel_port), user,
             env.secret(name))  # fmt: skip
    del found["redis/replica at Sentinel"]  # a user that Sentinels do not have
    admin = env.secret("rabbitmq/admin")
    door("rabbitmq/admin", "management", "", int(setting.rabbitmq_management_port), BROKER_ADMIN, admin)
    if ops := registry_host(env):
        door("registry", "registry", ops.address, int(setting.registry_port), *login(env))
    return found


def let_in(control: Control, asked: dict[str, dict[str, Any]]) -> dict[str, bool]:
    """The logins that the stores accept, each from a host that may ask."""
    found = dict[str, bool]()
    for group in ("postgresql", "app"):
        doors = {name: door for name, door in asked.items() if (door["kind"] == "registry") == (group == "app")}
        code = AMQP.read_text() + (REMOTE / "logins.py").read_text()
        code = code.replace('"ARGUMENT"', repr(json.dumps({"ca": CA, "doors": doors})))
        told = json.loads(control.ssh(control.group(group)[0], "sudo python3 -I -", code, seconds=120))
        found |= {name: not said for name, said in told.items()}
    return found


def now(control: Control) -> Environment:
    """The environment with the current secrets of the file."""
    return inventory.load(control.name)


def rotate(control: Control, **data: Any) -> Any:
    done = control.run(deploy=DEPLOY, data=data)
    assert done.status == 0, done.end
    assert done.closing[1] == done.closing[2] > 0, done.end
    return done


@pytest.mark.parametrize("secrets", [ONE, pytest.param("all", marks=pytest.mark.full)])
def test_secrets_are_rotated_and_no_service_is_locked_out(control: Control, secrets: str, figure: Figure) -> None:
    before = doors(now(control))
    assert all(let_in(control, before).values())
    with Readiness(control) as readiness:
        done = rotate(control, secrets=secrets, retire="true")
    figure(f"{control.name}: secrets rotated, {secrets}", done.seconds)
    figure(f"{control.name}: answers of services during the rotation", readiness.found["asked"])
    figure(f"{control.name}: answers that were not ready", len(readiness.failed))
    assert readiness.failed == []
    env = now(control)
    assert unfinished(env) == []
    after = doors(env)
    changed = {name: door["password"] != before[name]["password"] for name, door in after.items()}
    assert changed == {name: secrets in ("all", name) for name in after}
    assert any(changed.values())
    assert [name for name, opened in let_in(control, after).items() if not opened] == []
    old = {name: door for name, door in before.items() if changed[name]}
    assert [name for name, opened in let_in(control, old).items() if opened] == []
    assert control.converged().changes == []


def test_a_dry_run_reports_the_rotation_and_changes_nothing(control: Control) -> None:
    before = now(control).secrets.path.read_bytes()
    done = control.run("--dry", deploy=DEPLOY, data={"secrets": "all"})
    assert done.status == 0, done.end
    assert "would use their other login with a new password: postgresql: " in done.output
    assert "rabbitmq/cookie stays as it is: " in done.output
    assert now(control).secrets.path.read_bytes() == before


def test_an_unknown_secret_is_refused(control: Control) -> None:
    done = control.run(deploy=DEPLOY, data={"secrets": "postgresql/auth-servce"})
    assert done.status == 1
    assert 'did you mean "postgresql/auth-service"?' in done.output
    assert done.changes == []


def points(number: int, chance: random.Random) -> list[tuple[str, int, float]]:
    """Where rotations are interrupted: this long after a role announces its change with this number."""
    return [(chance.choice(ROLES), chance.randrange(3), chance.uniform(0, 2)) for _ in range(number)]


@pytest.mark.full
@pytest.mark.parametrize("number", range(POINTS))
def test_a_killed_rotation_is_continued(control: Control, chance: random.Random, number: int) -> None:
    role, change, delay = points(POINTS, chance)[number]
    print(f"point {number}: {role}, change {change}, {delay:.2f} s later")
    before = doors(now(control))
    with Readiness(control) as readiness:
        killed = control.killed(role, change, delay, data={"secrets": "all", "retire": "true"}, deploy=DEPLOY)
        begun = unfinished(now(control))
        rotate(control, retire="true") if begun else None
    assert killed.status != 0, "the run was over before it was killed: nothing was tested"
    assert readiness.failed == []
    env = now(control)
    assert unfinished(env) == []
    after = doors(env)
    assert [name for name, opened in let_in(control, after).items() if not opened] == []
    old = {name: door for name, door in before.items() if door["password"] != after[name]["password"]}
    assert [name for name, opened in let_in(control, old).items() if opened] == []
    assert control.converged().changes == []
