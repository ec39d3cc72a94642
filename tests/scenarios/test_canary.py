"""Every secret is a marked one, the platform is made from bare hosts, and then the marks are looked for everywhere.

Runs on an environment of one host whose hosts it makes anew: the box, or with NEXUS_ENV another one of the lab.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from canary import MARK, Processes, found_below, mark_secrets, marks
from conftest import Figure
from control import PROJECT, Control, Outcome

from roles import lab
from roles.kit.memory import cache_directory

REASON = lab.reason_lab_cannot_run()
DIRECTORIES = ("/etc", "/var", "/run", "/root", "/home", "/opt", "/srv", "/tmp", "/usr/local")
LOUD = ("-vvv", "--debug", "--diff")
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no lab on this machine: {REASON}")


@pytest.fixture(scope="module")
def own_places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Caches and temporary files of these runs alone, so that they can be searched."""
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
    """The environment deployed with marked secrets, what its runs said, and what processes showed meanwhile."""
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
            runs["run that mends"] = control.run("-vv", "--debug", "--diff")
        figure(f"{control.name}: marked secrets", len(names))
        yield control, runs, processes
    finally:
        secrets.unlink(missing_ok=True)
        if before is not None:
            secrets.write_bytes(before)
        for name in control.names:
            control.host(name).remove()
        lab.up(control.lab) if was_there else lab.down(control.lab)


ROTATION = {"secrets": "registry,redis/auth-service,postgresql/superuser"}
SPOILT = ("/etc/redis/redis.acl", "/etc/pgbouncer/userlist.txt", "/root/.docker/config.json")


def test_runs_succeed(marked: tuple[Control, dict[str, Outcome], Processes]) -> None:
    """Else nothing below means anything."""
    control, runs, _ = marked
    for name, run in runs.items():
        assert run.status == 0, f"{name}: {run.end}"
    for kept in ("postgresql/auth-service/a", "rabbitmq/admin"):
        assert MARK in control.planned.secret(kept), kept
    assert MARK not in control.planned.secret("redis/auth-service"), "it was rotated"
    assert runs["dry run"].closing[0] >= len(SPOILT)


def test_no_output_holds_a_secret(marked: tuple[Control, dict[str, Outcome], Processes], figure: Figure) -> None:
    control, runs, _ = marked
    wanted = marks(control)
    hits = [
        f"{name}: {line[:60]}"
        for name, run in runs.items()
        for line in run.output.splitlines()
        if any(mark in line.encode() for mark in wanted)
    ]
    figure("characters of output searched", sum(len(run.output) for run in runs.values()))
    assert hits == []


def test_no_process_shows_a_secret(marked: tuple[Control, dict[str, Outcome], Processes], figure: Figure) -> None:
    _, _, processes = marked
    figure("processes looked at while runs went on", len(processes.seen))
    assert len(processes.seen) > 100
    assert processes.hits == set()


def test_nothing_on_the_controller_holds_a_secret(marked: tuple[Control, dict[str, Outcome], Processes]) -> None:
    control, _, _ = marked
    assert cache_directory().exists()
    assert found_below(cache_directory(), marks(control)) == []
    assert found_below(PROJECT, marks(control), (".git", ".venv")) == []
    assert found_below(Path(tempfile.gettempdir()), marks(control)) == []


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


def test_the_search_finds_what_is_there(marked: tuple[Control, dict[str, Outcome], Processes]) -> None:
    """The same search over places that hold secrets by right must not come back empty."""
    control, _, _ = marked
    asked = {"marks": [mark.hex() for mark in marks(control)], "directories": [], "data_root": "/nowhere"}
    found = control.ask(control.names[0], "leaks.py", {**asked, "registry": "/root/.docker"}, seconds=600)
    assert found["hits"]["registry"] == ["/root/.docker/config.json"]
