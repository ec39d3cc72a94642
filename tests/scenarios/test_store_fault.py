"""Faults of stores that no file shows: named before any change, or fixed by the next run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import pytest
from conftest import Figure
from control import PROJECT, Control, Outcome
from database import Database

from nexus.provider import lab
from nexus.provider.lab.machine import wait_until
from roles.etcd.plan import TLS

REASON = lab.reason_lab_cannot_run()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no lab on this machine: {REASON}")
DATA, DRIFT, STATUS = "deploys/data.py", "deploys/drift.py", "deploys/status.py"
TOLD_SECONDS = 60  # for a refusal, on two shared cores
PATRONI = "sudo patronictl -c /etc/patroni/config.yml"
FOREIGN = "foreign"  # a series of backups that another cluster started


@dataclass(frozen=True)
class Fault:
    """A fault of a store on a host, how to undo it, and what runs must report meanwhile."""

    host: str
    command: str
    undo: str
    said: tuple[str, ...] = ()
    status: tuple[str, ...] = ()  # if the status uses other words


def psql(*statements: str) -> str:
    """Statements as superuser at a host's own server, each in its own call."""
    return "sudo -u postgres psql -Xq " + " ".join(f'-c "{statement}"' for statement in statements)


def console(words: str) -> str:
    """A command at PgBouncer's console."""
    return f"sudo -u postgres psql -Xq -h /run/postgresql -p 6432 -U pgbouncer pgbouncer -c '{words}'"


def redis(words: str, instance: str = "redis") -> str:
    """A command at a host's own Redis."""
    cli = f"redis-cli --no-auth-warning --user nexus-admin -s /run/{instance}/redis.sock {words}"
    return f"sudo sh -c 'REDISCLI_AUTH=$(cat /etc/redis/admin.password) {cli}'"


def sentinel(words: str) -> str:
    """A command at a host's own Sentinel."""
    cli = f"redis-cli --no-auth-warning --user nexus-admin -s /run/sentinel/sentinel.sock {words}"
    return f"sudo sh -c 'REDISCLI_AUTH=$(cat /etc/redis/admin.password) {cli}'"


def etcd(control: Control, host: str, call: str, **body: object) -> str:
    """A call of etcd's JSON gateway, as a shell command."""
    address = control.lab.host(host).address
    tls = f"--cacert {TLS['ca']} --cert {TLS['certificate']} --key {TLS['key']}"
    return f"sudo curl -sSf {tls} -d '{json.dumps(body)}' https://{address}:2379/v3/{call}"


def master(control: Control, instance: str = "redis") -> str:
    """The host whose Redis takes writes."""
    hosts = control.group("redis")
    return next(host for host in hosts if control.ssh(host, redis("ROLE", instance)).startswith("master"))


@contextmanager
def done(control: Control, faults: list[Fault]) -> Iterator[None]:
    """All faults at once; a failed undo is shown once all others are undone."""
    with ExitStack() as undo:
        for fault in faults:
            undo.callback(control.ssh, fault.host, fault.undo)
            control.ssh(fault.host, fault.command)
        yield


def missing(outcome: Outcome, faults: list[Fault], status: bool = False) -> list[str]:
    """Expected messages that are missing."""
    words = [(fault.status or fault.said) if status else fault.said for fault in faults]
    text = " ".join(outcome.output.split())
    return [word for each in words for word in each if word not in text]


@pytest.fixture
def settled(control: Control) -> Iterator[Control]:
    """The environment as planned before the test, and without differences after it."""
    Database(control).wait_whole()
    yield control
    Database(control).wait_whole()
    control.converged()  # a replica may need to join again once its primary can save
    after = control.converged()
    assert after.changes == [], after.end


def ordered(control: Control) -> list[Fault]:
    """What a person has ordered, or only a person can decide, on every store."""
    primary = Database(control).primary()
    replica = next(host for host in control.group("postgresql") if host != primary)
    node, own = control.group("rabbitmq")[-1], control.group("rabbitmq")[0]
    leads = master(control, "redis-cache")
    cache = next(host for host in control.group("redis") if host != leads)  # its primary would be replaced
    identity = json.loads(control.ssh(primary, etcd(control, primary, "maintenance/status")))["header"]["member_id"]
    corrupt = {"memberID": identity, "alarm": "CORRUPT"}
    alarm = "sudo rabbitmqctl -q eval 'rabbit_alarm:{}'"
    return [
        Fault(node, "sudo rabbitmq-upgrade -q drain", "sudo rabbitmq-upgrade -q revive",
              (f"rabbit@{node} is drained (maintenance mode)", "there: rabbitmq-upgrade revive"),
              (f"rabbit@{node} is drained", "rabbitmq-upgrade revive")),
        Fault(own, alarm.format("set_alarm({{resource_limit, disk, node()}, []})."),
              alarm.format("clear_alarm({resource_limit, disk, node()})."),
              (f"rabbit@{own} blocks all publishers because of its alarm disk", "free disk space"),
              (f"rabbit@{own}: disk space", "publishers are blocked")),
        Fault(primary, f"{PATRONI} pause --wait", f"{PATRONI} resume --wait",
              ("Patroni is paused", "patronictl -c /etc/patroni/config.yml resume"), ("failover paused", "resume")),
        Fault(primary, console("PAUSE auth_service"), console("RESUME auth_service"),
              ("PgBouncer admits no clients to auth_service", "RESUME auth_service")),
        Fault(replica, psql("select pg_wal_replay_pause()"), psql("select pg_wal_replay_resume()"),
              ("the replica's replay is paused", "pg_wal_replay_resume()")),
        Fault(cache, redis("CLIENT PAUSE 300000 WRITE", "redis-cache"), redis("CLIENT UNPAUSE", "redis-cache"),
              ("its clients are paused", "CLIENT UNPAUSE")),
        Fault(primary, etcd(control, primary, "maintenance/alarm", action="ACTIVATE", **corrupt),
              etcd(control, primary, "maintenance/alarm", action="DEACTIVATE", **corrupt),
              ("etcd has raised the alarm CORRUPT", "alarm disarm"), ("CORRUPT",)),
    ]  # fmt: skip


def test_orders_of_a_person_are_reported_not_undone(settled: Control, figure: Figure) -> None:
    faults = ordered(settled)
    with done(settled, faults):
        refused = settled.run()
        drift = settled.run(deploy=DRIFT)
        status = settled.run(deploy=STATUS)
    figure("stores: refusal that names seven orders", refused.seconds)
    assert (refused.status, drift.status) == (1, 1)
    assert status.status != 0
    assert "Nothing was changed on any host." in refused.output
    assert "Traceback" not in refused.output + drift.output + status.output
    assert missing(refused, faults) == [], refused.end
    assert missing(drift, faults) == [], drift.end
    assert missing(status, faults, status=True) == [], status.end
    assert refused.seconds < TOLD_SECONDS


@pytest.mark.full
def test_a_server_set_to_read_only_is_reported(settled: Control) -> None:
    primary = Database(settled).primary()
    reload = "select pg_reload_conf()"
    fault = Fault(
        primary,
        psql("alter system set default_transaction_read_only = on", reload),
        psql("alter system reset default_transaction_read_only", reload),
        (f"{primary}: postgresql: default_transaction_read_only is on", "alter system reset"),
    )
    with done(settled, [fault]):
        refused = settled.run(deploy=DATA)
    assert refused.status == 1
    assert missing(refused, [fault]) == [], refused.end


def changed(control: Control) -> list[Fault]:
    """Changes at running servers; `undo` does nothing, since a run must fix them."""
    database = Database(control)
    primary, first = database.primary(), control.group("redis")[0]
    replica = next(host for host in control.group("postgresql") if host != primary)
    node = control.group("rabbitmq")[-1]
    leads = master(control)
    follower = next(host for host in control.group("redis") if host != leads)
    reload = "select pg_reload_conf()"
    rule = "echo 'host all all 0.0.0.0/0 trust' >>/var/lib/postgresql/17/main/pg_hba.conf"
    acts = [
        (leads, redis("CONFIG SET maxmemory 1gb replica-priority 0"), "server of persistent: settings differs"),
        (leads, redis("ACL SETUSER someone on nopass +@all ~*"), "settings differs, users differs"),
        (follower, redis("CONFIG SET masterauth wrong"), "server of persistent: settings differs"),
        (first, sentinel("SENTINEL SET mymaster quorum 1"), "watch over persistent: quorum 1 -> 2"),
        (primary, psql("alter system set synchronous_standby_names = ''", reload), "server: altered differs"),
        (replica, psql("alter system set work_mem = '1GB'", reload), "server: settings differs, altered differs"),
        (replica, f'sudo sh -c "{rule}"', "server: settings differs, altered differs, access differs"),
        (primary, psql("alter role auth_service_a set statement_timeout = '1ms'"), "role auth_service_a: settings"),
        (primary, console("SET default_pool_size = 99"), "pooler: settings differs"),
        (node, "sudo rabbitmqctl -q set_vm_memory_high_watermark 0.00001", "node: alarms differs"),
    ]
    return [Fault(host, command, "true", (said,)) for host, command, said in acts]


def test_changes_at_running_servers_are_reverted(settled: Control, figure: Figure) -> None:
    faults = changed(settled)
    with done(settled, faults):
        assert wait_until(lambda: blocked(settled), 30, pause=0.5), "the broker has no alarm"
        drift = settled.run(deploy=DRIFT)
        fixed = settled.run()
    figure("stores: run that reverted ten changes at running servers", fixed.seconds)
    assert drift.status == 1
    assert fixed.status == 0, fixed.end
    absent = [fault.said for fault in faults if not any(fault.said[0] in change for change in fixed.changes)]
    assert absent == [], fixed.changes
    found = json.loads((PROJECT / "reports" / f"drift-{settled.name}.json").read_text())["drift"]
    items = {(line["host"], line["item"]) for line in found}
    named = [fault for fault in faults if fault.said[0].startswith(("server", "node"))]
    wanted = {(fault.host, fault.said[0].split(":")[0]) for fault in named}
    assert wanted <= items, drift.end


def blocked(control: Control) -> bool:
    """Whether the broker of the last host blocks publishers."""
    node = control.group("rabbitmq")[-1]
    with suppress(RuntimeError):
        return control.ssh(node, "sudo rabbitmqctl -q eval 'rabbit_alarm:get_local_alarms().'").strip() != "[]"
    return False


def test_etcd_without_room_is_repaired(settled: Control, figure: Figure) -> None:
    host = settled.group("etcd")[1]
    identity = json.loads(settled.ssh(host, etcd(settled, host, "maintenance/status")))["header"]["member_id"]
    settled.ssh(host, etcd(settled, host, "maintenance/alarm", action="ACTIVATE", memberID=identity, alarm="NOSPACE"))
    fixed = settled.run()
    figure("etcd without room: run that fixed it", fixed.seconds)
    assert fixed.status == 0, fixed.end
    assert any("member" in change and "alarm" in change for change in fixed.changes), fixed.changes
    assert "etcd had no room left: it was compacted" in fixed.output


@pytest.mark.full
def test_a_snapshot_that_failed_is_made_again(settled: Control) -> None:
    """Redis refuses writes after a failed snapshot (MISCONF): reported while it fails, fixed once it can succeed."""
    host = master(settled)
    shut = Fault(host, f"sudo chmod 0550 /var/lib/redis && {redis('BGSAVE')}", "sudo chmod 0750 /var/lib/redis")
    with done(settled, [shut]):
        assert wait_until(lambda: "bgsave_status:err" in settled.ssh(host, redis("INFO persistence")), 30, pause=0.5)
        failed = settled.run(deploy=DATA)
    assert failed.status == 1
    assert "Redis cannot save to /var/lib/redis" in failed.output, failed.end
    fixed = settled.run()
    assert fixed.status == 0, fixed.end
    assert any("server of persistent: saves False -> True" in change for change in fixed.changes), fixed.changes


@pytest.mark.full
def test_a_broker_that_was_stopped_is_started(settled: Control, figure: Figure) -> None:
    node = settled.group("rabbitmq")[-1]
    settled.ssh(node, "sudo rabbitmqctl -q stop_app")
    fixed = settled.run()
    figure("RabbitMQ's application stopped: run that started it", fixed.seconds)
    assert fixed.status == 0, fixed.end
    assert any("state of rabbitmq cluster: could not be probed" in change for change in fixed.changes)


@pytest.mark.full
def test_replicas_do_not_wait_for_a_refused_stanza(settled: Control, figure: Figure) -> None:
    """The bucket has another cluster's backups: the primary is refused, and waiting replicas end with the reason."""
    host, server = settled.group("postgresql")[0], "/var/lib/postgresql/17/another"
    programs = "/usr/lib/postgresql/17/bin"
    stanza, where = "pgbackrest --stanza=nexus-cos", f"--repo1-path=/postgres-{FOREIGN}"
    make = f"{programs}/initdb -D {server} >/dev/null"
    make += f" && {stanza} --pg1-path={server} {where} --no-online stanza-create"
    remove = f"{stanza} stop; {stanza} {where} --force stanza-delete; {stanza} start; rm -rf {server}"
    try:
        settled.ssh(host, f"sudo -u postgres sh -c '{make}'")
        refused = settled.run(data={"backup_series": FOREIGN})
    finally:
        settled.ssh(host, f"sudo -u postgres sh -c '{remove}'")
        settled.converged()
    figure("backups: stanza of another cluster, time until the run ended", refused.seconds)
    assert refused.status == 1
    assert "holds backups of another PostgreSQL cluster" in refused.output, refused.end
    assert refused.seconds < TOLD_SECONDS


@pytest.mark.full
def test_a_wait_ends_when_the_awaited_host_fails(settled: Control, figure: Figure) -> None:
    """Replicas wait for the primary's repository, and learn that its host has failed."""
    primary = Database(settled).primary()
    place = "/usr/bin/pgbackrest"
    fails = r"printf '#!/bin/sh\necho out of order >&2\nexit 29\n'"
    try:
        settled.ssh(primary, f'sudo sh -c "mv {place} {place}.kept; {fails} >{place}; chmod 755 {place}"')
        failed = settled.run(data={"backup_series": "never"})
    finally:
        settled.ssh(primary, f"sudo mv {place}.kept {place}")
        settled.converged()
    figure("backups: failing pgBackRest on the primary, time until the run ended", failed.seconds)
    assert failed.status == 1
    assert f"{primary} failed, and this host waited for it" in failed.output, failed.end
    assert failed.seconds < TOLD_SECONDS
