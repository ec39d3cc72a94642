"""Certificates without a run: the program that switches to prepared leaves on a host."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path

import pytest

from nexus.pki.ca import Authority
from nexus.plan.desired import Unit
from tests.plan.certificate_host import CertificateHost, digest
from tests.plan.environments import environment


@pytest.fixture
def host(tmp_path: Path, authority: Authority) -> CertificateHost:
    """A host whose leaves were prepared 200 days ago for 730 days: six periods have passed without a run."""
    found = CertificateHost(tmp_path, environment(tmp_path / "env", {"app1": "app"}), authority)
    found.prepare(730, ago=200)
    return found


def reloads(host: CertificateHost, name: str = "nginx.service") -> Unit:
    """A unit that takes the leaf by a reload, and another file by a restart."""
    config = host.place / "config"
    config.touch()
    return Unit(name, restart_on=(str(config),), reload_on=(str(host.leaf), str(host.key)))


def restarts(host: CertificateHost, name: str = "redis-sentinel") -> Unit:
    return Unit(name, restart_on=(str(host.leaf), str(host.key)))


def test_the_host_switches_to_the_leaf_that_a_run_would_plan_now(host: CertificateHost) -> None:
    assert host.start()[0] == 0
    # a minute late, so that no client with a slow clock sees a leaf that is not yet valid
    planned = host.authority.leaf(["app1"], dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1))
    assert (host.leaf.read_text(), host.key.read_text()) == (planned.certificate, planned.key)
    assert host.leaf.stat().st_mode & 0o777 == 0o644
    assert host.key.stat().st_mode & 0o777 == 0o640
    written = host.leaf.stat().st_mtime_ns
    assert host.start()[0] == 0
    assert host.leaf.stat().st_mtime_ns == written, "written again though it was there"


def test_daemons_take_it_the_way_they_say(host: CertificateHost) -> None:
    host.unit(reloads(host))
    host.unit(restarts(host))
    host.unit(restarts(host, "registry"), "inactive")
    host.unit(Unit("haproxy", restart_on=(str(host.other),)))
    assert host.start()[0] == 0
    assert host.done() == ["reload nginx.service", "restart redis-sentinel"]
    for name in ("nginx.service", "redis-sentinel"):
        stamp = host.stamp(name)
        assert stamp[str(host.leaf)] == digest(host.leaf)
        assert stamp[str(host.key)] == digest(host.key)
    assert len(host.stamp("nginx.service")) == 3, "the stamp lost what the reload has nothing to do with"
    assert host.start()[0] == 0
    assert host.done() == []


def test_a_config_that_waits_for_a_run_is_left_to_it(host: CertificateHost) -> None:
    host.unit(reloads(host))
    (host.place / "config").write_text("a run died before its restart")
    before = host.stamp("nginx.service")[str(host.place / "config")]
    assert host.start()[0] == 0
    assert host.done() == ["reload nginx.service"]
    assert host.stamp("nginx.service")[str(host.place / "config")] == before


def test_the_next_start_finishes_an_interrupted_renewal(host: CertificateHost) -> None:
    host.unit(reloads(host))
    stamp, old = (host.place / "stamp" / "nginx.service").read_text(), host.leaf.read_text()
    assert host.start()[0] == 0
    host.done()
    (host.place / "stamp" / "nginx.service").write_text(stamp)  # killed before the daemon was notified
    assert host.start()[0] == 0
    assert host.done() == ["reload nginx.service"]
    new = host.leaf.read_text()
    host.leaf.write_text(old)  # killed between both renames
    assert host.start()[0] == 0
    assert host.leaf.read_text() == new


def test_only_a_leaf_of_a_dead_run_is_replaced(host: CertificateHost) -> None:
    """A run replaces the leaf, then its prepared successors: in between, the host must not restore the old leaf."""
    other = host.authority.leaf(["app1", "another"])
    for path, content in ((host.leaf, other.certificate), (host.key, other.key)):
        path.write_text(content)
    later = host.place.joinpath("prepared.json").stat().st_mtime + 1
    os.utime(host.leaf, (later, later))
    assert host.start()[0] == 0
    assert host.leaf.read_text() == other.certificate
    key = host.key.read_text()
    host.key.write_text(host.authority.leaf(["app1"]).key)  # the run died between both files
    assert host.start()[0] == 0
    assert host.leaf.read_text() != other.certificate
    host.leaf.write_text(other.certificate)
    host.key.write_text(key)
    month_ago = time.time() - 31 * 86400
    os.utime(host.place / "prepared.json", (month_ago - 1, month_ago - 1))
    os.utime(host.leaf, (month_ago, month_ago))
    assert host.start()[0] == 0
    assert host.leaf.read_text() != other.certificate


def test_a_daemon_that_refuses_is_named_and_tried_again(host: CertificateHost) -> None:
    host.unit(reloads(host))
    host.unit(restarts(host))
    refuses = host.place / "refuses-nginx.service"
    refuses.touch()
    status, said = host.start()
    assert (status, host.done()) == (1, ["reload nginx.service", "restart redis-sentinel"])
    assert "nginx.service did not take the new certificate" in said
    refuses.unlink()
    assert host.start()[0] == 0
    assert host.done() == ["reload nginx.service"]


def test_a_daemon_started_between_renames_is_restarted(host: CertificateHost) -> None:
    host.unit(restarts(host))
    (host.place / "state" / "redis-sentinel").write_text(f"{10**18} failed")
    host.unit(restarts(host, "registry"))
    (host.place / "state" / "registry").write_text("0 failed")  # long before
    assert host.start()[0] == 0
    assert host.done() == ["reset-failed redis-sentinel", "restart redis-sentinel"]


def test_a_certificate_that_others_renew_is_taken_as_well(host: CertificateHost) -> None:
    host.unit(Unit("nginx.service", reload_on=(str(host.other),)))
    assert host.start()[0] == 0
    assert host.done() == []
    host.other.write_text("a new one")
    assert host.start()[0] == 0
    assert host.done() == ["reload nginx.service"]


@pytest.mark.parametrize(("days", "ago", "status", "words"), [
    (100, 200, 1, "prepared leaves ended"),
    (730, -400, 0, "before the first prepared leaf: left as it is"),
])  # fmt: skip
def test_a_time_for_which_nothing_was_prepared(
    host: CertificateHost, days: float, ago: float, status: int, words: str
) -> None:
    host.prepare(days, ago)
    before = host.leaf.read_text()
    found, said = host.start()
    assert (found, host.leaf.read_text()) == (status, before)
    assert words in said


@pytest.mark.parametrize("damage", ["gone", "cut", "changed", "open"])
def test_an_untrusted_stock_of_leaves_is_not_used(host: CertificateHost, damage: str) -> None:
    path, before = host.place / "prepared.json", host.leaf.read_text()
    content = path.read_text()
    if damage == "gone":
        path.unlink()
    elif damage == "open":
        path.chmod(0o644)
    else:
        path.write_text(content[:-9] if damage == "cut" else content.replace("MII", "MIJ", 1))
    status, said = host.start()
    assert (status, host.leaf.read_text()) == (1, before)
    assert "run deploys/base.py" in said
