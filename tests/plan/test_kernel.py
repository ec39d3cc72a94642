"""Refusals of the kernel: the agent, run as on a host, meets the real error and explains it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nexus.agent import kernel
from nexus.plan import diff
from nexus.plan.desired import Desired, File
from nexus.transport import protocol
from nexus.transport.protocol import lines
from tests.plan.step_request import step

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount and set flags")


def agent(request: dict[str, Any], before: str = "true") -> subprocess.CompletedProcess[str]:
    """The agent with its own mounts and /run, after a command that creates the fault there."""
    set_up = f'mount -t tmpfs none /run && {before} && exec {os.path.realpath(sys.executable)} "$@"'
    command = protocol.COMMAND.replace("exec python3", f"exec unshare --mount sh -ec {shlex.quote(set_up)} sh")
    text = "\n".join(lines(request)) + "\n"
    return subprocess.run(["sh", "-c", command], input=text, capture_output=True, text=True, check=False)


def write(path: Path | str, data: bytes = b"new", before: str = "true") -> str:
    """The agent's message about a file that it cannot write; it must leave nothing next to the target."""
    done = agent(step(File(str(path), data, mode=0o640)), before)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    left = [name for _, _, names in os.walk(os.path.dirname(path)) for name in names if name.startswith(".nexus-")]
    assert left == []
    return done.stderr.strip()


def probe(path: Path, before: str = "true") -> dict[str, Any]:
    """The obstacles in a probe of this path."""
    done = agent(diff.question([Desired(absent=(str(path),))]), before)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["obstacles"]
    return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A directory with a file; its flags are removed at the end."""
    found = tmp_path / "etc"
    found.mkdir()
    (found / "x.conf").write_text("old")
    yield found
    subprocess.run(["chattr", "-f", "-R", "-i", "-a", str(found)], check=False)


def test_a_read_only_mount(place: Path) -> None:
    fault = f"mount --bind {place} {place} && mount -o remount,bind,ro {place}"
    said = f"{place}/x.conf is on a file system that is mounted read-only: mount -o remount,rw {place}, then rerun"
    assert write(place / "x.conf", before=fault) == said
    assert probe(place / "x.conf", fault)["paths"] == {f"{place}/x.conf": ["EROFS", str(place)]}


FLAGS = [("+i", "immutable", "IMMUTABLE"), ("+a", "append-only", "APPEND")]


@pytest.mark.parametrize(("option", "words", "code"), FLAGS)
@pytest.mark.parametrize("where", ["x.conf", ""])
def test_a_flag_of_a_file_or_directory(place: Path, option: str, words: str, code: str, where: str) -> None:
    flagged = place / where if where else place
    if subprocess.run(["chattr", option, str(flagged)], capture_output=True, check=False).returncode:
        pytest.skip("this file system has no such flags")
    said = f"{place}/x.conf cannot be changed, because {flagged} is {words}: chattr -{option[1]} {flagged}, then rerun"
    assert probe(place / "x.conf")["paths"] == {f"{place}/x.conf": [code, str(flagged)]}
    if option == "+i" or where:
        assert write(place / "x.conf") == said


def test_no_space_and_no_inodes(place: Path) -> None:
    full = f"mount -t tmpfs -o size=64k none {place}"
    assert f"no space is left on the file system of {place}" in write(place / "x.conf", bytes(100_000), full)
    assert probe(place / "x.conf", full)["room"][str(place)][:2] == [str(place), 65536]
    crowded = f"mount -t tmpfs -o nr_inodes=1 none {place}"
    assert f"the file system of {place} has no inodes left" in write(place / "x.conf", before=crowded)
    assert probe(place / "x.conf", crowded)["room"][str(place)][2] == 0


def test_a_mount_point_in_the_place_of_a_file(place: Path) -> None:
    fault = f"mount --bind /dev/null {place}/x.conf"
    assert write(place / "x.conf", before=fault).endswith(f"umount {place}/x.conf, then rerun")
    fault = f"touch {place}/other && mount --bind {place}/other {place}/x.conf"
    assert probe(place / "x.conf", fault)["paths"] == {f"{place}/x.conf": ["MOUNT", f"{place}/x.conf"]}


def test_paths_that_cannot_be(place: Path) -> None:
    assert "name that the file system" in write(place / ("x" * 300))
    (place / "round").symlink_to("round")
    assert f"{place}/round" in write(place / "round" / "x.conf")
    known = probe(place / "round" / "x.conf")["paths"]
    assert known == {f"{place}/round/x.conf": ["ELOOP", f"{place}/round"]}
    assert f"because {place}/x.conf is not a directory" in write(place / "x.conf" / "y")
    assert probe(place / "x.conf" / "y")["paths"] == {f"{place}/x.conf/y": ["ENOTDIR", f"{place}/x.conf"]}
    (place / "nowhere").symlink_to(place / "gone")
    assert f"{place}/nowhere" in write(place / "nowhere" / "x.conf")
    assert probe(place / "nowhere" / "x")["paths"] == {f"{place}/nowhere/x": ["ENOENT", f"{place}/nowhere"]}


def test_too_many_open_files(place: Path) -> None:
    assert "too many open files" in write(place / "x.conf", before="ulimit -n 4")


def test_nothing_is_in_the_way_of_a_plain_directory(place: Path) -> None:
    found = probe(place / "x.conf")
    assert (found["paths"], found["left"]) == ({}, [])


def test_only_leftovers_of_a_killed_writer_are_found(place: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    for name in (f".nexus-{dead.pid}-aa", f".nexus-{os.getpid()}-bb", ".nexus-0123456789abcdef", ".own"):
        (place / name).touch()
    expected = [f"{place}/.nexus-0123456789abcdef", f"{place}/.nexus-{dead.pid}-aa"]
    assert probe(place / "x.conf")["left"] == expected


def test_every_code_has_words_with_a_way_out() -> None:
    for code, text in kernel.WORDS.items():
        said = kernel.told(code, "/etc/x", "/etc")
        assert "/etc/x" in said, code
        assert ": " in text, code


BROKEN = "def apply(*_):\n    return {}['nothing']\n"


def test_an_unexpected_error_is_one_line(tmp_path: Path) -> None:
    request = {"do": "state", "name": "redis", "source": BROKEN, "libraries": [], "items": {}, "changed": []}
    request |= {"removed": [], "context": {}, "payload": {}}
    done = agent(request)
    assert done.returncode == 1
    assert done.stderr.startswith("unexpected KeyError in redis:2: 'nothing'"), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" in agent({**request, "debug": True}).stderr


def test_room_is_counted_as_df_does() -> None:
    used = subprocess.check_output(["df", "--output=pcent", "/"], text=True).split()[-1]
    _, percent = kernel.room(os.statvfs("/"))
    assert abs(100 - percent - int(used.rstrip("%"))) < 2
