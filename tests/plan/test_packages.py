"""Packages in every state: seen as dpkg sees them, finished, and installed without unrequested removals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plan.debian import Debian, packages

ONCE = "[ ! -e {flag} ] || {{ rm {flag}; {end}; }}"


@pytest.fixture
def debian(tmp_path: Path) -> Debian:
    found = Debian(tmp_path)
    if not found.works():
        pytest.skip("no dpkg and apt with copies of what they keep on this machine")
    return found


def flagged(tmp_path: Path, end: str) -> str:
    """A script that fails once."""
    (tmp_path / "flag").touch()
    return ONCE.format(flag=tmp_path / "flag", end=end)


@pytest.mark.parametrize("end", ["exit 1", "kill -9 $PPID; sleep 1"])
def test_an_unfinished_dpkg_run_is_seen_and_finished(debian: Debian, tmp_path: Path, end: str) -> None:
    built = debian.package("nexus-x", script=flagged(tmp_path, end))
    debian.shell(f"dpkg -i {built}", check=False)
    assert debian.probed("nexus-x") == {"nexus-x": "half-configured"}
    assert debian.probed("dpkg") == {"dpkg": "installed", "nexus-x": "half-configured"}
    done = debian.install("nexus-x")
    assert done.returncode == 0, done.stderr
    assert debian.state("nexus-x") == "installed"
    assert debian.probed("nexus-x") == {"nexus-x": "installed"}
    assert debian.probed("dpkg") == {"dpkg": "installed"}


def test_a_package_state_only_in_dpkgs_journal_is_seen(debian: Debian, tmp_path: Path) -> None:
    built = debian.package("nexus-x", script=flagged(tmp_path, "kill -9 $PPID; sleep 1"))
    debian.shell(f"dpkg -i {built}", check=False)
    kept = debian.shell("cat /var/lib/dpkg/status").stdout
    journal = debian.shell("cat /var/lib/dpkg/updates/*").stdout
    assert "Package: nexus-x" not in kept
    assert "half-configured" in journal
    assert debian.probed("nexus-x") == {"nexus-x": "half-configured"}


def test_an_unpacked_package_is_configured(debian: Debian) -> None:
    debian.shell(f"dpkg --unpack {debian.package('nexus-x')}")
    assert debian.probed() == {"nexus-x": "unpacked"}
    assert debian.install().returncode == 0
    assert debian.state("nexus-x") == "installed"


def test_a_foreign_package_that_cannot_be_configured_is_named(debian: Debian) -> None:
    built = debian.package("nexus-broken", script="echo its own trouble >&2; exit 3")
    debian.package("nexus-x")
    debian.shell(f"dpkg -i {built}", check=False)
    done = debian.install("nexus-x", update=True)
    assert done.returncode == 1
    assert "nexus-broken is half-configured" in done.stderr
    assert "its own trouble" in done.stderr
    assert "Nothing was removed" in done.stderr
    assert debian.state("nexus-broken") == "half-configured"


def test_packages_that_apt_would_remove_are_named_and_stay(debian: Debian) -> None:
    debian.shell(f"dpkg -i {debian.package('nexus-old')}")
    debian.package("nexus-x", Conflicts="nexus-old")
    debian.shell("apt-get update")
    said = "to install nexus-x apt would remove nexus-old"
    asked = debian.agent({"do": "simulate", "packages": ["nexus-x"]})
    assert said in json.loads(asked.stdout)["why"], asked.stdout
    done = debian.install("nexus-x")
    assert done.returncode == 1
    assert said in done.stderr
    assert (debian.state("nexus-old"), debian.state("nexus-x")) == ("installed", "")


def test_a_package_on_hold_is_named_and_stays(debian: Debian) -> None:
    debian.shell(f"dpkg -i {debian.package('nexus-old')} && apt-mark hold nexus-old")
    debian.package("nexus-old", "2.0")
    debian.package("nexus-x", Depends="nexus-old (>= 2.0)")
    debian.shell("apt-get update")
    done = debian.install("nexus-x")
    assert done.returncode == 1
    assert "apt would change nexus-old, which an administrator has put on hold" in done.stderr
    assert "apt-mark unhold nexus-old" in done.stderr
    assert debian.probed("nexus-old") == {"nexus-old": "installed"}


def test_installable_packages_raise_no_warning(debian: Debian) -> None:
    debian.package("nexus-x")
    debian.shell("apt-get update")
    assert json.loads(debian.agent({"do": "simulate", "packages": ["nexus-x"]}).stdout) == {"why": ""}


def test_lists_that_are_older_than_the_archive_are_fetched(debian: Debian) -> None:
    debian.package("nexus-old")
    debian.shell("apt-get update")
    debian.package("nexus-x")
    assert debian.install("nexus-x").returncode == 0
    assert debian.state("nexus-x") == "installed"


def test_broken_dependencies_are_reported_without_removals(debian: Debian) -> None:
    built = debian.package("nexus-foreign", Depends="nexus-nowhere")
    debian.shell(f"dpkg -i --force-depends {built}", check=False)
    debian.package("nexus-x")
    debian.shell("apt-get update")
    done = debian.install("nexus-x")
    assert done.returncode == 1
    assert "nexus-foreign" in done.stderr
    assert "nexus-nowhere" in done.stderr
    assert "nothing was removed" in done.stderr
    assert debian.state("nexus-foreign") == "installed"


def test_a_source_that_does_not_parse_is_named(debian: Debian, tmp_path: Path) -> None:
    debian.package("nexus-x")
    (tmp_path / "upper3/sources.list.d/wrong.list").write_text("deb nonsense\n")
    done = debian.install("nexus-x", update=True)
    assert done.returncode == 1
    assert "/etc/apt/sources.list.d/wrong.list" in done.stderr


def test_a_repository_that_fails_is_named_and_others_serve(debian: Debian, tmp_path: Path) -> None:
    debian.package("nexus-x")
    (tmp_path / "upper3/sources.list.d/gone.list").write_text("deb [trusted=yes] file:/nowhere/at/all ./\n")
    done = debian.install("nexus-x", update=True)
    assert done.returncode == 0, done.stderr
    assert "/nowhere/at/all" in done.stdout
    done = debian.install("nexus-nowhere")
    assert done.returncode == 1
    assert "nexus-nowhere" in done.stderr
    assert "/nowhere/at/all" in done.stderr


HOLD = """
import fcntl, os, sys, time
handle = os.open("/var/lib/dpkg/lock-frontend", os.O_RDWR | os.O_CREAT)
fcntl.lockf(handle, fcntl.LOCK_EX)
open(sys.argv[1], "w")
while os.path.exists(sys.argv[1]):
    time.sleep(0.1)
"""


def test_the_holder_of_the_lock_is_named_and_waited_for(debian: Debian, tmp_path: Path) -> None:
    debian.package("nexus-x")
    debian.shell("apt-get update")
    held = tmp_path / "held"  # locks are visible only within the mount namespace of their holder
    (tmp_path / "hold.py").write_text(HOLD)
    debian.before += f" && {{ python3 {tmp_path}/hold.py {held} & until [ -e {held} ]; do sleep 0.1; done; }}"
    step = debian.start(packages("nexus-x"))
    assert step.stdout
    told = step.stdout.readline()
    held.unlink()
    assert told.startswith("waiting up to 300 s for ")
    assert "(process " in told
    assert "which holds /var/lib/dpkg/lock-frontend" in told
    assert step.wait(60) == 0
