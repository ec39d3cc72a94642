"""Steps of a rotation in runs: recorded first, on every host, and no old file of secrets replaces a newer one."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

import pytest

import runbooks.secret as deploy
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.base import plan as base
from roles.service.contents import credentials
from runbooks.secret import rotation
from tests.plan.fake_run import FakeRun
from tests.plan.store_environment import environment


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    """An environment with the secrets of its services."""
    found = environment(tmp_path)
    for service in found.catalogue.services.values():
        credentials(found, service)
    return found


OLDER = [("", 0, False), ("3", 3, False), ("3", 4, False), ("4", 3, True)]


@pytest.mark.parametrize(("host", "file", "refused"), OLDER)
def test_an_older_file_of_secrets_is_refused_by_a_host(tmp_path: Path, host: str, file: int, refused: bool) -> None:
    env = environment(tmp_path)
    env.secrets._about["generation"] = file
    there = tmp_path / "there"
    if host:
        there.write_text(f"{host}\n")
    command = base.preflight(env, env.host("data1")).replace(base.GENERATION, str(there))
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode == 1) is refused
    assert ("is out of date" in done.stdout) is refused


def test_every_step_of_a_rotation_makes_the_file_a_newer_one(env: Environment) -> None:
    env.secrets.save()
    before = env.secrets.generation
    for step in (lambda: rotation.introduce(env, ["redis/auth-service"]), lambda: rotation.switch(env)):
        step()
        env.secrets.save()
    assert env.secrets.generation == before + 2
    env.secret("something/new")
    env.secrets.save()
    assert env.secrets.generation == before + 2  # a secret that is only added does not count


class Asked(FakeRun):
    """A run as the steps of a rotation see it."""

    def __init__(self, env: Environment, reached: bool = True) -> None:
        self.environment, self.reached, self.replanned = env, reached, 0
        self.notes: list[str] = []

    def reaches(self, name: str) -> bool:
        return self.reached or name == "data1"

    def executing(self) -> bool:
        return True

    def replan(self) -> None:
        self.replanned += 1

    def note(self, role: str, text: str) -> None:
        self.notes.append(text)


def test_each_step_is_recorded_before_hosts_change(env: Environment) -> None:
    run = Asked(env)
    for acts_of in (partial(deploy._introduce, names="postgresql/auth-service,service/jwt"), deploy._switch):
        acts = acts_of(run)
        assert len(acts) == 1
        before = env.secrets.path.read_bytes() if env.secrets.path.exists() else b""
        acts[0].do()
        assert env.secrets.path.read_bytes() != before
    assert run.replanned == 2
    acts = deploy._retire(run)
    assert [act.what for act in acts] == ["End the old values of postgresql: 1 (auth-service)"]
    assert "the old service/jwt stays accepted until" in run.outcome.notes[0]
    acts[0].do()
    assert rotation.unfinished(env) == ["service/jwt"]
    assert deploy._introduce(Asked(env)) == []  # continues without a name


def test_a_rotation_does_not_leave_a_host_behind(env: Environment) -> None:
    with pytest.raises(OperatorError, match="app1 would keep the old secrets"):
        deploy._introduce(Asked(env, reached=False), "all")
    assert deploy._introduce(Asked(env, reached=False), "all", force=True)
    with pytest.raises(OperatorError, match="no secret was named and no rotation is in progress"):
        deploy._introduce(Asked(env))
