"""The command that shows the configuration of services: sources and differences, but never a secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from roles.service.contents import CONFIG, config, env_file
from roles.service.host import state
from roles.service.released import Released, key
from roles.service.stack import definition, properties
from runbooks.daily import configuration
from tests.plan.environments import environment
from tests.plan.test_daily import Asked

SERVICE = "auth-service"


class Swarm(Asked):
    """A run whose swarm is as planned, except `changed`."""

    changed: Mapping[str, Any] = {}

    def answer(self, name: str) -> dict[str, Any]:
        assert name == "app1"
        items = {f"service {name}": running(self.environment, name) for name in self.environment.catalogue.services}
        items[f"service {SERVICE}"] |= self.changed
        return {"states": {"service": {"items": items}}}


def running(env: Environment, name: str) -> dict[str, Any]:
    """A service as the probe finds it when it is as planned."""
    return properties(definition(env, env.catalogue.service(name)))


def told(run: Swarm) -> dict[str, tuple[str, str, str]]:
    """Rows of the one service, {name: (value, source, now)}."""
    found = json.loads(configuration.read(run, [SERVICE], as_json=True).text)
    assert found["environment"] == "test"
    return {row["name"]: (row["value"], row["source"], row["now"]) for row in found["services"][SERVICE]}


@pytest.fixture(name="run")
def run_(tmp_path: Path) -> Swarm:
    return Swarm(environment(tmp_path, service_environment_of={SERVICE: {"FLAG": "on"}}))


def test_port_and_variables_are_shown_with_their_source(run: Swarm) -> None:
    found = told(run)
    assert found["port"] == found["PORT"] == ("3001", "catalogue", "")
    assert found["FLAG"] == ("on", "setting service_environment_of", "")
    assert found["DB_HOST"] == ("10.219.0.1", "postgresql", "")
    assert found["release"] == ("1.0.0", "setting release", "")
    assert found["RELEASE"] == ("1.0.0", "release 1.0.0", "")
    assert found["JWT_SECRET"][1] == "secret service/jwt"
    assert found["/run/secrets/config"][0].startswith("config auth-service-")
    assert found["/run/secrets/credentials"][0].startswith("secret auth-service-credentials-")
    assert [name for name, (_, _, now) in found.items() if now] == []


@pytest.mark.parametrize("as_json", [False, True])
def test_no_secret_is_shown(run: Swarm, as_json: bool) -> None:
    report = configuration.read(run, [], as_json)
    secrets = run.environment.secrets
    values = [secrets.get(name) for name in secrets.names() if not name.endswith("ca-certificate")]
    assert len(values) > 50
    assert [value for value in values if value in report.text] == []
    assert run.environment.catalogue.handshake.value not in report.text
    assert "(secret " in report.text
    for name in run.environment.catalogue.services:
        assert (f'"{name}": [' if as_json else f"== {name}\n") in report.text


def test_differences_of_the_running_service_are_shown(run: Swarm) -> None:
    text = env_file({**config(run.environment, run.environment.catalogue.service(SERVICE)), "PORT": "3999", "OLD": "1"})
    files = [line.replace("config auth-service-", "config auth-service-x") for line in
             running(run.environment, SERVICE)["files"]]  # fmt: skip
    run.changed = {"replicas": 7, "image": "r/auth-service:0.9.0@sha256:aa", "files": files,
                   "configuration": text.replace("FLAG=on\n", "")}  # fmt: skip
    found = {name: (value, now) for name, (value, _, now) in told(run).items() if now}
    assert found.pop("image")[1] == "r/auth-service:0.9.0"
    assert found.pop("replicas")[1] == "7"
    assert found.pop("/run/secrets/config")[1].startswith("config auth-service-x")
    assert found == {
        "release": ("1.0.0", "0.9.0"),
        "port": ("3001", "3999"),
        "PORT": ("3001", "3999"),
        "FLAG": ("on", "nothing"),
        "OLD": ("nothing", "1"),
    }
    text = configuration.read(run, [SERVICE]).text
    assert "3001   NOW: 3999" in text


def test_kept_values_are_marked_as_kept(tmp_path: Path) -> None:
    back = Released("0.9.0", config="auth-service-0123456789", pinned=True)
    kept = {key(SERVICE): {"current": back.value()}, f"replicas {SERVICE}": {"value": 4}}
    run = Swarm(environment(tmp_path), kept)
    run.changed = {"configuration": "PORT=2999\nDB_HOST=10.9.9.9\nFLAG=of then\n"}
    found = told(run)
    assert found["release"][:2] == ("0.9.0", "nexus-environment")
    assert found["replicas"][:2] == ("4", "nexus-environment")
    assert found["FLAG"] == ("of then", "release 0.9.0", "")
    assert found["PORT"] == ("2999", "release 0.9.0", "")
    assert found["DB_HOST"] == ("10.219.0.1", "postgresql", "")  # credentials are current, and read last
    assert found["/run/secrets/config"][0] == "config auth-service-0123456789"
    assert "NODE_ENV" not in found


def test_a_service_that_is_not_in_the_swarm(run: Swarm) -> None:
    env = run.environment
    rows = {row["name"]: row["now"] for row in configuration.rows(env, env.catalogue.service(SERVICE), {})}
    assert (rows["image"], rows["replicas"], rows["/run/secrets/config"], rows["PORT"]) == (*["nothing"] * 3, "")


def test_an_equal_mark_is_an_equal_secret(tmp_path: Path) -> None:
    env = environment(tmp_path, service_external_keys={"A": [SERVICE], "B": [SERVICE], "C": [SERVICE]})
    for name, value in (("A", "same"), ("B", "same"), ("C", "other")):
        env.secrets.get(f"external/{name}", partial(str, value))
    found = told(Swarm(env))
    assert found["A"][0] == found["B"][0] != found["C"][0]
    assert found["A"][1] == "setting service_external_keys"


def test_an_image_without_a_known_digest_is_the_one_that_runs(run: Swarm) -> None:
    run.changed = {"image": f"{running(run.environment, SERVICE)['image']}@sha256:ab"}
    assert told(run)["image"][2] == ""
    env = replace(run.environment, digests={SERVICE: "sha256:cd"})
    (row, *_) = configuration.rows(env, env.catalogue.service(SERVICE), running(env, SERVICE) | run.changed)
    assert row["now"].endswith("@sha256:ab")


def test_unplanned_configuration_is_shown_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    data = base64.b64encode(b"PORT=3001\n").decode()

    class Docker:
        def __init__(self, timeout: float) -> None:
            pass

        def list(self, kind: str, **filters: list[str]) -> list[dict[str, Any]]:
            names = {"configs": ["a-1", "b-1"], "secrets": ["c-config-1"]}[kind]
            return [{"Spec": {"Name": name, "Data": data}, "CreatedAt": "2999"} for name in names]

    def service(**container: Any) -> dict[str, Any]:
        spec = {"TaskTemplate": {"ContainerSpec": {"Image": "i", **container}}, "Labels": {}}
        return {"Spec": {**spec, "Mode": {"Replicated": {"Replicas": 2}}}}

    services = {
        "a": service(Configs=[{"ConfigName": "a-1", "File": {"Name": CONFIG}}]),
        "b": service(Configs=[{"ConfigName": "b-1", "File": {"Name": CONFIG}}]),
        "c": service(Secrets=[{"SecretName": "c-config-1", "File": {"Name": "config"}}]),
    }
    monkeypatch.setattr(state, "Docker", Docker)
    monkeypatch.setattr(state, "stack_services", lambda docker, status: services)
    found = state.probe(["config a-1"], {"recorded": [], "keep_days": 1})
    told = {name: about.get("configuration") for name, about in found.items() if name.startswith("service ")}
    assert told == {"service a": None, "service b": "PORT=3001\n", "service c": None}
    assert found["service c"]["files"] == [f"{CONFIG}: secret c-config-1"]
