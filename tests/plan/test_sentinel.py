"""Sentinel as planned, and how a host decides which primary to follow: real code with fake answers of other hosts."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from nexus.agent.lib import RemoteError
from roles.redis.host.client import ReplyError
from roles.redis.users import ADMIN, HEALTH, SENTINEL_RULES
from roles.sentinel.host import state
from roles.sentinel.host.view import NotYetError, View
from roles.sentinel.plan import CONFIG, HELPER, USERS, identity, plan
from tests.plan.store_environment import environment, file, text, told

A, B, C = "10.9.0.31", "10.9.0.32", "10.9.0.33"


def test_sentinels_watch_both_and_no_primary_is_planned(tmp_path: Path) -> None:
    env = environment(tmp_path, data=3)
    (state,) = plan(env, env.host("data2")).states
    assert set(state.items) == {
        f"{what} {name}" for what in ("replication of", "server of", "watch over") for name in ("persistent", "cache")
    }
    assert state.items["watch over cache"]["port"] == 6380
    assert [one["master"] for one in state.context["instances"].values()] == ["mymaster", "mymaster-cache"]
    assert "monitor" not in text(plan(env, env.host("data2")), CONFIG)


@pytest.mark.parametrize(("data", "quorum"), [(1, 1), (3, 2), (5, 3)])
def test_a_majority_decides(tmp_path: Path, data: int, quorum: int) -> None:
    env = environment(tmp_path, data=data)
    (state,) = plan(env, env.host("data1")).states
    assert state.items["watch over persistent"]["quorum"] == quorum


def test_hosts_left_out_stay_members_and_are_not_awaited(tmp_path: Path) -> None:
    env = environment(tmp_path, data=3, without="data3")
    (state,) = plan(env, env.host("data1")).states
    assert (list(state.context["hosts"]), state.context["left_out"]) == ([A, B, C], [C])


def test_sentinels_own_users_have_their_permissions(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    assert SENTINEL_RULES[HEALTH] == "-@all +sentinel|get-master-addr-by-name"
    assert [user for user, rules in SENTINEL_RULES.items() if "+@all" in rules.split()] == [ADMIN]
    assert text(desired, USERS).startswith("user default reset off\n")
    for name in ("admin", "sentinel", "health"):
        assert env.secret(f"redis/{name}") not in told(desired)
    assert file(desired, CONFIG).secret


def test_a_replaced_host_keeps_its_identity(tmp_path: Path) -> None:
    env = environment(tmp_path, data=3)
    found = {identity(env, host) for host in env.group("redis")}
    assert len(found) == 3
    assert all(re.fullmatch(r"[0-9a-f]{40}", one) for one in found)
    assert identity(env, env.host("data1")) in found


def test_learned_state_survives_a_configuration_change(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    script, state = text(desired, HELPER), tmp_path / "sentinel.conf"
    script = script.replace("/var/lib/redis/sentinel/sentinel.conf", str(state)).replace("chown redis", ": ")
    learned = ["sentinel monitor mymaster 10.9.0.32 6379 2", "sentinel known-replica mymaster 10.9.0.31 6379"]
    stale = ["port 1", "sentinel myid 0", "sentinel sentinel-pass old", "sentinel announce-ip 10.1.1.1"]
    for before in ([], [*learned, *stale]):
        state.write_text("\n".join(before))
        for _ in range(2):
            subprocess.run(["sh", "-c", script], check=True)
        first, second, *rest = state.read_text().strip().splitlines()
        assert (first, second) == (f"include {CONFIG}", f"sentinel myid {identity(env, env.host('data1'))}")
        assert rest == (learned if before else [])


class Played(View):
    """Answers of Sentinels and servers. `voices`: (epoch, primary) or None; `nodes`: (follows, keys)."""

    def __init__(self, voices: dict[str, Any], nodes: dict[str, Any], left_out: tuple[str, ...] = ()) -> None:
        hosts = {A: "data1", B: "data2", C: "data3"}
        context = {"address": B, "hosts": hosts, "left_out": left_out}
        super().__init__(context, {"master": "mymaster", "port": 6379, "socket": "/run/redis/redis.sock"})
        self.voices, self.nodes = voices, nodes

    def voice(self, address: str) -> tuple[int, str] | None:
        if address not in self.voices:
            raise NotYetError(f"the Sentinel of {self.hosts[address]} cannot be asked")
        found: tuple[int, str] | None = self.voices[address]
        return found

    def node(self, address: str) -> tuple[str | None, int]:
        if address not in self.nodes:
            raise NotYetError(f"the Redis of {self.hosts[address]} cannot be asked")
        found: tuple[str | None, int] = self.nodes[address]
        return found


NOBODY = {A: None, B: None, C: None}
FRESH = {A: (None, 0), B: (None, 0), C: (None, 0)}


@pytest.mark.parametrize(
    ("voices", "nodes", "primary"),
    [
        (NOBODY, FRESH, A),  # the very first start
        (NOBODY, FRESH | {C: (None, 7)}, C),  # grown from a lone host
        (NOBODY, FRESH | {A: (B, 0)}, B),  # a first run that was killed
        (NOBODY, FRESH | {A: (B, 5), C: (None, 9)}, B),  # the followed server wins, whatever keys a stranger has
        ({A: None, B: None, C: (0, C)}, FRESH, C),
        ({A: (3, A), B: (4, B), C: (3, A)}, FRESH, B),  # the newest epoch wins
    ],
)
def test_every_host_chooses_the_same_primary(voices: Any, nodes: Any, primary: str) -> None:
    assert state.find(Played(voices, nodes)) == primary


def test_an_unreachable_server_is_never_guessed_about() -> None:
    with pytest.raises(NotYetError, match="Redis of data3"):
        state.find(Played(NOBODY, {A: (None, 0), B: (None, 0)}))
    with pytest.raises(NotYetError, match="Sentinel of data1"):
        state.find(Played({B: None, C: None}, FRESH))
    without = Played({A: None, B: None}, {A: (None, 0), B: (None, 0)}, left_out=(C,))
    assert state.find(without) == A


def test_two_servers_with_keys_need_an_operators_decision() -> None:
    with pytest.raises(RemoteError, match=r"data1, data3.*FLUSHALL"):
        state.find(Played(NOBODY, FRESH | {A: (None, 3), C: (None, 4)}))


class Primary(Played):
    """A primary that gets one more replica each time it is asked."""

    def __init__(self, come: list[list[str]]) -> None:
        super().__init__(NOBODY, FRESH)
        self.come = come

    def replicas(self, address: str) -> list[str]:
        assert address == A
        found = self.come.pop(0)
        if not found:
            raise NotYetError("the Redis of data1 cannot be asked")
        return found


def test_a_sentinel_meets_a_primary_when_its_replicas_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the Sentinel would learn of the replicas ten seconds later."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    primary = Primary([[], [B], [C, B], [C], [C]])
    state.expect_replicas(primary, A)
    assert primary.come == [[C], [C]]
    monkeypatch.setattr(state, "INFO_SECONDS", 0)
    state.expect_replicas(primary, A)  # a missing replica is not awaited longer than this
    assert primary.come == [[C]]


class Server:
    """A server that has its own keys and was never part of the cluster."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def __call__(self, *words: Any) -> Any:
        self.told.append(words)
        if words[0] == "DBSIZE":
            return 12
        if words == ("ROLE",):
            return ["master", 0, []]
        raise ReplyError("unexpected")


def test_keys_of_an_unknown_server_are_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    view, server = Played(NOBODY, FRESH), Server()
    monkeypatch.setattr(view, "server", lambda address=None: server)
    monkeypatch.setattr(view, "remembered", lambda: False)
    with pytest.raises(RemoteError, match="holds 12 keys of its own"):
        state.follow(view, A)
    assert all(words[0] != "REPLICAOF" for words in server.told)
