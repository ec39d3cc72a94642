"""Secrets contain a mark, and the tests search for the mark everywhere.

One secret on the environment that is up; and all secrets on an environment of one host, deployed from a bare host:
the box, or with NEXUS_ENV another environment of the lab.
"""

from __future__ import annotations

import json
import os
import secrets as random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Figure
from control import PROJECT, Control, Outcome
from marked_secrets import MARK, Processes, found_below, mark_secrets, marked_passwords, marks, marks_of, writings

from nexus.cache import cache_directory
from nexus.environment import inventory
from nexus.provider import lab
from runbooks.compose import __main__ as compose
from runbooks.compose.render import files
from runbooks.kubernetes import tree
from runbooks.kubernetes.render import render
from tests.plan import kubernetes_environment

REASON = lab.reason_lab_cannot_run()
DIRECTORIES = ("/etc", "/var", "/run", "/root", "/home", "/opt", "/srv", "/tmp", "/usr/local")
LOUD = ("-vvv", "--debug", "--diff")
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no lab on this machine: {REASON}")


@pytest.fixture(scope="module")
def own_places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Separate caches and temporary files for these runs, so that the tests can search them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "TMPDIR"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        patch.setattr(tempfile, "tempdir", None)
        yield
    tempfile.tempdir = None


@pytest.fixture(scope="module")
def marked(
    pytestconfig: pytest.Config, figure: Figure, own_places: None
) -> Iterator[tuple[Control, dict[str, Outcome], Processes]]:
    """The environment deployed with marked secrets, the output of its runs, and what processes showed meanwhile."""
    if not pytestconfig.getoption("--lab"):
        pytest.skip("scenarios on the lab's hosts run with --lab")
    control = Control(os.environ.get("NEXUS_ENV") or "box")
    was_there = control.exists()
    secrets = control.planned.secrets.path if was_there else PROJECT / ".lab" / control.name / "secrets.age"
    before = secrets.read_bytes() if secrets.exists() else None
    secrets.unlink(missing_ok=True)
    names = mark_secrets(control)
    control.renew() if was_there else lab.up(control.lab)
    try:
        with Processes(marks(control)) as processes:
            runs = {"first run": control.run(*LOUD)}
            runs["second run"] = control.run("-v")
            runs["rotation"] = control.run(*LOUD, deploy="deploys/rotate_secrets.py", data=ROTATION)
            host = control.names[0]
            for path in SPOILT:
                control.ssh(host, f"echo spoilt | sudo tee {path} >/dev/null")
            runs["dry run"] = control.run("--dry", *LOUD)
            runs["run that repairs"] = control.run("-vv", "--debug", "--diff")
        figure(f"{control.name}: marked secrets", len(names))
        yield control, runs, processes
    finally:
        secrets.unlink(missing_ok=True)
        if before is not None:
            secrets.write_bytes(before)
        for name in control.names:
            control.host(name).remove()
        lab.up(control.lab) if was_there else lab.down(control.lab)


ONE, SERVICE = "redis/scheduler", "scheduler"


def test_one_secret_shows_nowhere(control: Control, own_places: None, figure: Figure) -> None:
    """A service's password changes by hand: no run, dry run or host shows it."""
    before = inventory.load(control.name).secrets.get(ONE)
    wanted = writings(MARK.encode())
    try:
        store(control, f"{MARK}{random.token_urlsafe(18)}")
        with Processes(wanted) as processes:
            runs = {"run": control.run(*LOUD), "dry run": control.run("--dry", *LOUD)}
        for name, run in runs.items():
            assert run.status == 0, f"{name}: {run.end}"
        assert any("redis" in change for change in runs["run"].changes), runs["run"].changes
        figure(f"{control.name}: one marked secret, the run that deploys it", runs["run"].seconds)
        assert leaked(runs, wanted) == []
        assert len(processes.seen) > 100
        assert processes.hits == set()
        assert found_below(cache_directory(), wanted) == []
        assert found_below(PROJECT, wanted, (".git", ".venv")) == []
        holds = next(name for name in control.group("app") if MARK in credentials(control, name))
        asked = {"marks": [mark.hex() for mark in wanted], "directories": DIRECTORIES, "data_root": "/nowhere"}
        asked["registry"] = "/nowhere"
        hosts = [control.group("redis")[0], holds]
        found = control.everywhere(lambda name: control.ask(name, "leaks.py", asked, seconds=600), hosts)
        assert {name: answer["hits"] for name, answer in found.items()} == {name: {} for name in hosts}
        for place in ("readable files", "journal", "processes", "units"):
            assert all(answer["bytes"].get(place, 0) > 1000 for answer in found.values()), place
    finally:
        store(control, before)
        control.converged()


def test_rendered_files_hold_no_secret(tmp_path: Path) -> None:
    """What is rendered for Compose and for Kubernetes; the files of secrets alone have them."""
    public, secret, cluster = (tmp_path / name for name in ("public", "secret", "cluster"))
    (tmp_path / "production").mkdir()
    with marked_passwords():
        machine = compose.environment("lab", tmp_path / "lab")
        compose.write(files(machine), public, secret)
        production = kubernetes_environment.environment(tmp_path / "production")
        applied = render(production, applied=True)
    tree.write(cluster, applied)
    wanted = marks_of(machine.secrets) + marks_of(production.secrets)
    assert len(list(public.rglob("*"))) > 50
    assert len(list(cluster.rglob("*"))) > 100
    assert found_below(public, wanted) == found_below(cluster, wanted) == []
    assert len(found_below(secret, wanted)) > 40
    applied_secrets = json.dumps(applied.secrets).encode()
    assert any(mark in applied_secrets for mark in writings(MARK.encode()))


def store(control: Control, value: str) -> None:
    """Set the one secret to this value in the environment's file."""
    secrets = inventory.load(control.name).secrets
    secrets.put(ONE, value)
    assert secrets.save()


def credentials(control: Control, host: str) -> str:
    """The credentials of the service's tasks on this host."""
    tasks = f"sudo docker ps -q --filter label=com.docker.swarm.service.name=nexus_{SERVICE}"
    return control.ssh(host, f"for task in $({tasks}); do sudo docker exec $task cat /run/secrets/credentials; done")


def leaked(runs: Mapping[str, Outcome], wanted: Sequence[bytes]) -> list[str]:
    """Lines of output that contain a mark."""
    return [
        f"{name}: {line[:60]}"
        for name, run in runs.items()
        for line in run.output.splitlines()
        if any(mark in line.encode() for mark in wanted)
    ]


ROTATION = {"secrets": "registry,redis/auth-service,postgresql/superuser"}
SPOILT = ("/etc/redis/redis.acl", "/etc/pgbouncer/userlist.txt", "/root/.docker/config.json")


@pytest.mark.full
def test_runs_succeed(marked: tuple[Control, dict[str, Outcome], Processes]) -> None:
    """Otherwise the tests below mean nothing."""
    control, runs, _ = marked
    for name, run in runs.items():
        assert run.status == 0, f"{name}: {run.end}"
    for kept in ("postgresql/auth-service/a", "rabbitmq/admin"):
        assert MARK in control.planned.secret(kept), kept
    assert MARK not in control.planned.secret("redis/auth-service"), "it was rotated"
    assert runs["dry run"].closing[0] >= len(SPOILT)


@pytest.mark.full
def test_no_output_holds_a_secret(marked: tuple[Control, dict[str, Outcome], Processes], figure: Figure) -> None:
    control, runs, _ = marked
    figure("characters of output searched", sum(len(run.output) for run in runs.values()))
    assert leaked(runs, marks(control)) == []


@pytest.mark.full
def test_no_process_shows_a_secret(marked: tuple[Control, dict[str, Outcome], Processes], figure: Figure) -> None:
    _, _, processes = marked
    figure("processes seen during the runs", len(processes.seen))
    assert len(processes.seen) > 100
    assert processes.hits == set()


@pytest.mark.full
def test_nothing_on_the_controller_holds_a_secret(marked: tuple[Control, dict[str, Outcome], Processes]) -> None:
    control, _, _ = marked
    assert cache_directory().exists()
    assert found_below(cache_directory(), marks(control)) == []
    assert found_below(PROJECT, marks(control), (".git", ".venv")) == []
    assert found_below(Path(tempfile.gettempdir()), marks(control)) == []


@pytest.mark.full
def test_nothing_on_the_hosts_shows_a_secret(
    marked: tuple[Control, dict[str, Outcome], Processes], figure: Figure
) -> None:
    control, _, _ = marked
    asked: dict[str, Any] = {
        "marks": [mark.hex() for mark in marks(control)],
        "directories": DIRECTORIES,
        "data_root": str(control.planned.setting.docker_data_root),
        "registry": str(control.planned.setting.registry_directory),
    }
    found = control.everywhere(lambda name: control.ask(name, "leaks.py", asked, seconds=600))
    assert {name: answer["hits"] for name, answer in found.items()} == {name: {} for name in found}
    for place in ("readable files", "journal", "processes", "units", "engine", "image layers", "registry"):
        total = sum(answer["bytes"].get(place, 0) for answer in found.values())
        figure(f"searched on hosts: {place}, MiB", f"{total / 2**20:.1f}")
        assert total > 1000, f"nothing was searched in {place}"


@pytest.mark.full
def test_the_search_finds_marks_where_they_are_allowed(marked: tuple[Control, dict[str, Outcome], Processes]) -> None:
    """The same search must find the mark where secrets are allowed."""
    control, _, _ = marked
    asked = {"marks": [mark.hex() for mark in marks(control)], "directories": [], "data_root": "/nowhere"}
    found = control.ask(control.names[0], "leaks.py", {**asked, "registry": "/root/.docker"}, seconds=600)
    assert found["hits"]["registry"] == ["/root/.docker/config.json"]
