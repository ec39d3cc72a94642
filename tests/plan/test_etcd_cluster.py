"""Members of a real etcd on loopback: founded, joined, replaced and removed by the host-side code."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nexus.agent import lib
from nexus.agent.change import Change
from nexus.agent.etcd import Etcd
from nexus.agent.lib import RemoteError
from nexus.environment.environment import Environment
from roles.certificate.plan import ETCD_CA, ETCD_KEY, ETCD_LEAF
from roles.certificate.plan import plan as certificates
from roles.etcd.host import alarm, command, state
from roles.etcd.plan import CONFIG, plan
from tests.plan.environments import environment
from tests.plan.loopback import Place
from tests.plan.store_environment import text

pytestmark = pytest.mark.skipif(not shutil.which("etcd"), reason="etcd is not installed here")
ALL = ("data1", "data2", "data3")
VOTES = dict.fromkeys(ALL, True)
GROUPS = {f"data{number}": "etcd postgresql" for number in (1, 2, 3)}


class Hosts:
    """Up to three hosts on loopback; `planned` are the hosts of the inventory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.loopback = Place()  # etcd has the same ports everywhere
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.whole = self.environment(GROUPS)
        for host in self.whole.hosts:
            found = certificates(self.whole, host)
            for path, file in self.files(host.name).items():
                (directory / file).write_text(text(found, path))

    def environment(self, groups: dict[str, str]) -> Environment:
        env = environment(self.directory, groups, etcd_wait_seconds=20, etcd_metrics_port=0)
        env.hosts = tuple(
            type(host)(host.name, self.loopback.address(40 + int(host.name[-1])), host.groups, host.setting)
            for host in env.hosts
        )
        return env

    def lay(self, name: str, *planned: str) -> None:
        """Do what a run does on one host, with these hosts as the inventory."""
        env = self.environment({host: GROUPS[host] for host in planned})
        data, members = plan(env, env.host(name)).states
        own = self.context(name, dict(data.context))
        if not self.probe(["data"], own).get("data", {}).get("usable"):
            known = [other for other in planned if other != name and state.has_data(self.place(other))]
            state.apply(Change(data.items, ["data"], context={**own, "known_by": known}))
        if name not in self.running:
            self.start(name)
        own = self.context(name, dict(members.context))
        found = self.probe(list(members.items), own)
        changed = [what for what, wanted in members.items.items() if not wanted.items() <= found.get(what, {}).items()]
        removed = [what for what in found if what not in members.items] if members.extra == "remove" else []
        state.apply(Change(members.items, changed, removed, own))

    def lay_all(self) -> None:
        """The same on all three; returns once each member knows that all vote, which it learns after the leader."""
        for name in ALL:
            self.lay(name, *ALL)
        deadline = time.monotonic() + 60
        while not all(self.votes(name) == VOTES for name in ALL):
            assert time.monotonic() < deadline, {name: self.votes(name) for name in ALL}
            time.sleep(0.1)

    def probe(self, names: list[str], context: dict[str, Any]) -> dict[str, dict[str, Any]]:
        lib.ONCE.clear()  # as at the start of a new process
        return state.probe(names, context)

    def files(self, name: str) -> dict[str, str]:
        return {ETCD_CA: "ca.pem", ETCD_LEAF: f"{name}.pem", ETCD_KEY: f"{name}.key"}

    def context(self, name: str, planned: dict[str, Any]) -> dict[str, Any]:
        files = {"ca": "ca.pem", "certificate": f"{name}.pem", "key": f"{name}.key"}
        tls = {kind: str(self.directory / file) for kind, file in files.items()}
        return {**planned, "tls": tls, "directory": self.place(name), "initial": f"{self.place(name)}.env"}

    def systemctl(self, words: list[str]) -> str:
        return ""

    def place(self, name: str) -> str:
        return str(self.directory / name)

    def start(self, name: str) -> None:
        env = self.environment(GROUPS)
        config = text(plan(env, env.host(name)), CONFIG)
        for path, file in self.files(name).items():
            config = config.replace(path, str(self.directory / file))
        lines = [*config.splitlines(), *Path(f"{self.place(name)}.env").read_text().splitlines()]
        values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        values |= {"ETCD_DATA_DIR": self.place(name), "ETCD_UNSAFE_NO_FSYNC": "true"}
        values["ETCD_LISTEN_CLIENT_URLS"] = values["ETCD_ADVERTISE_CLIENT_URLS"]  # all hosts share one loopback
        values.pop("ETCD_LISTEN_METRICS_URLS")
        with open(f"{self.place(name)}.log", "ab") as log:
            self.running[name] = subprocess.Popen(["etcd"], env={**os.environ, **values}, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self.client(name).lives():
            assert self.running[name].poll() is None, Path(f"{self.place(name)}.log").read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.2)

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        """End all members."""
        for name in list(self.running):
            self.kill(name)
        self.loopback.close()

    def wipe(self, name: str) -> None:
        self.kill(name)
        shutil.rmtree(self.place(name))
        os.unlink(f"{self.place(name)}.env")

    def client(self, name: str) -> Etcd:
        host = self.whole.host(name)
        tls = self.context(name, {})["tls"]
        return Etcd(f"{host.address}:{self.whole.setting.etcd_client_port}", tls)

    def votes(self, name: str) -> dict[str, bool]:
        return {member["name"]: member["votes"] for member in self.client(name).members(agreed=True)}


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    found = Hosts(tmp_path)
    monkeypatch.setattr(state, "run", found.systemctl)  # there are no units here, only processes
    yield found
    found.close()


def test_one_grows_to_three(hosts: Hosts) -> None:
    hosts.lay("data1", "data1")
    assert hosts.votes("data1") == {"data1": True}
    hosts.lay_all()
    assert hosts.votes("data2") == VOTES
    before = hosts.client("data1").members(agreed=True)
    hosts.lay_all()
    assert hosts.client("data1").members(agreed=True) == before


@pytest.mark.parametrize("lost", ["data1", "data3"])
def test_a_host_that_lost_its_data_joins_again(hosts: Hosts, lost: str) -> None:
    hosts.lay_all()
    before = {member["name"]: member["id"] for member in hosts.client("data2").members(agreed=True)}
    hosts.wipe(lost)
    hosts.lay_all()
    after = {member["name"]: member["id"] for member in hosts.client("data2").members(agreed=True)}
    assert hosts.votes("data2") == VOTES
    assert {name for name in ALL if before[name] != after[name]} == {lost}


def test_the_leader_hands_over(hosts: Hosts) -> None:
    hosts.lay_all()
    ids = {member["name"]: member["id"] for member in hosts.client("data1").members(agreed=True)}
    old = next(name for name in ALL if hosts.client(name).ask("maintenance/status", {})["leader"] == ids[name])
    to = next(name for name in ALL if name != old)
    context = {"endpoint": hosts.client(old).endpoint, "tls": hosts.context(old, {})["tls"], "to": to}
    for _ in range(2):  # the second time there is nothing to do
        command.hand_over(context)
        assert hosts.client(to).ask("maintenance/status", {})["leader"] == ids[to]


def test_a_run_that_died_before_the_start_is_finished(hosts: Hosts) -> None:
    hosts.lay("data1", *ALL)
    env = hosts.environment(GROUPS)
    data = plan(env, env.host("data2")).states[0]
    context = {**hosts.context("data2", dict(data.context)), "known_by": ["data1"]}
    state.apply(Change(data.items, ["data"], context=context))  # the run is killed here
    assert len(hosts.client("data1").members(agreed=True)) == 2
    hosts.lay_all()
    assert hosts.votes("data1") == VOTES


def test_a_member_that_left_is_removed_and_may_return(hosts: Hosts) -> None:
    hosts.lay_all()
    hosts.kill("data3")
    hosts.lay("data1", "data1", "data2")
    assert hosts.votes("data1") == {"data1": True, "data2": True}
    hosts.lay_all()
    assert hosts.votes("data1") == VOTES
    assert list(hosts.directory.glob("data3.2*")), "its old data was not kept"


def test_three_shrink_to_one_while_all_of_them_run(hosts: Hosts) -> None:
    hosts.lay_all()
    hosts.lay("data3", "data3")
    assert hosts.votes("data3") == {"data3": True}


def test_the_quorum_is_not_given_away(hosts: Hosts) -> None:
    hosts.lay_all()
    hosts.kill("data3")
    with pytest.raises(RemoteError, match="of the 2 remaining members only 1"):
        hosts.lay("data1", "data1", "data3")
    assert hosts.votes("data1") == VOTES


def test_no_second_cluster_is_founded_without_a_quorum(hosts: Hosts) -> None:
    hosts.lay_all()
    hosts.wipe("data1")
    hosts.kill("data2")
    with pytest.raises(RemoteError, match=r"they do not answer, or lack a quorum|does not answer"):
        hosts.lay("data1", *ALL)
    assert not state.has_data(hosts.place("data1"))
    hosts.start("data2")
    hosts.lay("data1", *ALL)
    assert hosts.votes("data1") == VOTES


def test_only_the_first_host_founds(hosts: Hosts) -> None:
    with pytest.raises(RemoteError, match="data1 founds it"):
        hosts.lay("data2", *ALL)


def test_members_that_ran_out_of_space_write_again(hosts: Hosts) -> None:
    hosts.lay_all()
    own = hosts.client("data1")
    identity = own.members(agreed=True)[0]["id"]
    own.ask("maintenance/alarm", {"action": "ACTIVATE", "memberID": identity, "alarm": "NOSPACE"})
    with pytest.raises(RemoteError, match="space exceeded"):
        own.ask("kv/put", {"key": "eA==", "value": "eA=="})
    env = hosts.environment(GROUPS)
    alarm.make_room(hosts.context("data1", dict(plan(env, env.host("data1")).states[1].context)))
    own.ask("kv/put", {"key": "eA==", "value": "eA=="})


def test_an_alarm_that_no_run_clears_is_an_obstacle() -> None:
    tls = dict.fromkeys(("ca", "certificate", "key"), "file")
    context = {"own": "10.0.0.1:2379", "directory": "/var/lib/etcd/default", "tls": tls}
    assert alarm.obstacle("NOSPACE", context) == alarm.obstacle("", context) == ""
    assert "alarm disarm" in alarm.obstacle("CORRUPT", context)
