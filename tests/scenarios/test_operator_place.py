"""The operator's machine: with any directory, umask, locale, user, clock or output a run works or names the problem."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from control import PROJECT, Control, Outcome, copy_of_project

PYINFRA = Path(sys.executable).with_name("pyinfra")
BASE = "inventory deploys/base.py -y"
HOLD = "inventory tests/scenarios/deploys/hold.py -y"
NOBODY = 12345  # a user id that no user has
CLOCK = Path(__file__).with_name("clock.py")


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    """Does what `make` does: this checkout's own code checks where pyinfra is started."""
    subprocess.run([sys.executable, str(PROJECT / "nexus/cli/place.py")], check=True)


@pytest.fixture(scope="module")
def settled(control: Control) -> Iterator[Control]:
    """The base of all hosts as planned, before and after: the operator's machine affects all roles alike."""
    assert (before := control.run(deploy="deploys/base.py")).status == 0, before.end
    yield control
    after = control.run(deploy="deploys/base.py")
    assert (after.status, after.changes) == (0, []), after.end


def shell(words: str, place: Path = PROJECT, unset: tuple[str, ...] = (), **env: str) -> Outcome:
    """A command as an operator types it there; `pyinfra` is the one of this project."""
    began = time.monotonic()
    kept = {key: value for key, value in os.environ.items() if key not in (*unset, "NEXUS_ENV")}
    script = f'pyinfra() {{ {shlex.quote(str(PYINFRA))} "$@"; }}\n{words}'
    done = subprocess.run(
        ["bash", "-c", script], cwd=place, env={**kept, "HOLD_SECONDS": "0", **env}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=300,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout.decode(errors="replace"), time.monotonic() - began)


def works(done: Outcome) -> None:
    """The run succeeded, with the expected changes or none, and everything is healthy."""
    assert done.status == 0, done.end
    assert "Traceback" not in done.output
    assert done.output.count(" changes, ") + done.output.count(" change, ") <= 1


def refused(done: Outcome, *said: str) -> None:
    """The run was refused in one line, before any change."""
    assert done.status == 1, done.end
    assert "Traceback" not in done.output, done.end
    errors = [line for line in done.output.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.end
    for words in said:
        assert words in errors[0], done.end
    assert "Nothing was changed on any host." in done.output


ELSEWHERE = {
    "root": ("/", "pyinfra {0}/inventory/lab.py {0}/deploys/full.py -y"),
    "root, directory": ("/", "pyinfra {0}/inventory {0}/deploys/full.py -y"),
    "root, with its modules": ("/", "PYTHONPATH={0} pyinfra {0}/inventory/lab.py {0}/deploys/full.py -y"),
    "deploys": ("deploys", "pyinfra ../inventory full.py -y"),
    "inventory": ("inventory", "pyinfra lab.py ../deploys/full.py -y"),
    "roles": ("roles", "pyinfra ../inventory/lab.py ../deploys/full.py -y"),
    "provision": ("/tmp", "pyinfra @local {0}/deploys/provision.py -y"),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_started_elsewhere(case: str) -> None:
    place, words = ELSEWHERE[case]
    refused(shell(words.format(PROJECT), PROJECT / place), f"start it where its config.py is: cd {PROJECT} && pyinfra")


def test_started_without_its_configuration() -> None:
    refused(shell("pyinfra --config other.py inventory deploys/full.py -y"), "--config other.py would leave out")


@pytest.mark.full
def test_started_elsewhere_with_chdir(settled: Control) -> None:
    works(shell(f"pyinfra --chdir {PROJECT} {BASE}", Path("/")))


ODD: dict[str, Any] = {
    "LC_ALL": "xx_YY.ISO-8859-1", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "TERM": "dumb",
    "TMPDIR": "/nothing/is/here", "NO_COLOR": "1", "PYTHONOPTIMIZE": "2", "PYTHONSTARTUP": "/nothing/is/here",
    "HOME": "/nothing/is/here", "PYTHONIOENCODING": "ascii",
}  # fmt: skip


def test_all_odd_at_once(settled: Control, tmp_path: Path) -> None:
    """A run that changes something uses the lock and the record. Foreign roles come first on Python's path."""
    (tmp_path / "roles").mkdir()
    (tmp_path / "roles/__init__.py").write_text("raise ImportError('not these')\n")
    works(shell(f"umask 0777; pyinfra {HOLD} <&- 2>&1", unset=("XDG_CACHE_HOME",), PYTHONPATH=str(tmp_path), **ODD))


@pytest.mark.full
@pytest.mark.parametrize("name", ODD)
def test_one_odd_variable(settled: Control, name: str) -> None:
    variable: dict[str, Any] = {name: ODD[name]}
    works(shell(f"pyinfra {BASE}", **variable))


@pytest.mark.full
@pytest.mark.parametrize("umask", ["0000", "0077", "0777"])
def test_an_odd_umask(settled: Control, umask: str) -> None:
    works(shell(f"umask {umask}; pyinfra {HOLD}"))


@pytest.mark.parametrize(
    "output",
    ["2>&1 | head -1", *(pytest.param(to, marks=pytest.mark.full) for to in (">/dev/full 2>&1", ">&- 2>&-", ">&-"))],
)
def test_an_output_without_a_reader(settled: Control, output: str) -> None:
    """The step in progress is finished, and the exit status is correct."""
    done = shell(f"pyinfra {HOLD} {output}; exit ${{PIPESTATUS[0]}}")
    assert done.status == 0, done.end
    assert "Traceback" not in done.output
    assert "complete" in settled.run(deploy="deploys/history.py", data={"history_runs": 1}).output


def test_no_terminal_to_ask_on() -> None:
    refused(shell("pyinfra inventory deploys/full.py <&-"), "no terminal to confirm the changes on: add -y")


@pytest.fixture
def theirs(settled: Control) -> Iterator[Path]:
    """A readable checkout of a user who is in no user database."""
    place = Path(f"/var/tmp/nexus-place-{os.getpid()}")
    try:
        copy_of_project(place, environment=settled.name)
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(place)], check=True)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def test_a_user_without_a_name_or_a_home(settled: Control, theirs: Path) -> None:
    within = f"setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups {shlex.quote(str(PYINFRA))}"
    if not readable(within):
        pytest.skip("no other user may read this virtual environment")
    unset = ("HOME", "XDG_CACHE_HOME", "USER", "LOGNAME", "LNAME", "USERNAME")
    works(shell(f"{within} {HOLD}", theirs, unset))
    assert f"uid-{NOBODY}@" in settled.run(deploy="deploys/history.py", data={"history_runs": 1}).output
    assert not (theirs / "~").exists()
    (theirs / ".lab/id_ed25519").chmod(0)
    os.chown(theirs / ".lab/id_ed25519", 0, 0)
    done = shell(f"{within} {HOLD}", theirs, unset)
    assert done.status == 1
    assert "Traceback" not in done.output, done.end
    assert "id_ed25519" in done.output, done.end


def readable(within: str) -> bool:
    return shell(f"{within} --version", Path("/")).status == 0


def test_a_checkout_that_cannot_be_written(settled: Control, full: bool) -> None:
    frozen = f"unshare --mount sh -c 'mount --bind {PROJECT} {PROJECT} && mount -o remount,ro,bind {PROJECT} && "
    frozen += f"cd {PROJECT} && exec {PYINFRA} WORDS'"
    if full:
        works(shell(frozen.replace("WORDS", BASE)))
    told = shell(frozen.replace("WORDS", "inventory deploys/drift.py"))
    refused(told, "Read-only file system (on this machine)", "reports")


def test_a_full_disk_of_this_machine(settled: Control, tmp_path: Path) -> None:
    with small(tmp_path):
        data = f"--data drift_directory={tmp_path}"
        refused(shell(f"pyinfra inventory deploys/drift.py {data}"), str(tmp_path), "No space left on device (on this")


@contextlib.contextmanager
def small(place: Path) -> Iterator[None]:
    """A file system there that has no room."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "small", str(place)], check=True)
    try:
        with contextlib.suppress(OSError):
            (place / "all-of-it").write_bytes(bytes(4096))
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("seconds", [86400 * 400, pytest.param(-7200, marks=pytest.mark.full)])
def test_a_wrong_clock(settled: Control, seconds: int) -> None:
    """Only the controller's clock is wrong: the lab's hosts use the kernel's."""
    done = shell(f"{shlex.quote(sys.executable)} {CLOCK} {seconds} {BASE}")
    ahead = "behind" if seconds > 0 else "ahead of"
    refused(done, "the clock of ", f" {ahead} this machine's", "timedatectl")
