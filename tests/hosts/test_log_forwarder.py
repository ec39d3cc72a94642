"""Log forwarder: lines of each host's journal arrive at the log store."""

import json
import secrets

testinfra_hosts = ["all"]
UNIT = "nexus-log-forwarder"
ARRIVAL_SECONDS = 30


def test_forwarder_runs(host):
    assert host.service(UNIT).is_running
    assert host.service(UNIT).is_enabled


def test_a_line_arrives_at_the_log_store(host, env, fleet, hostname):
    mark = f"check-{secrets.token_hex(8)}"
    assert host.run("systemd-cat -t nexus-check echo %s", mark).rc == 0
    store = fleet.machine(env.group("ops")[0].name)
    search = "journalctl -q -o cat --file='/var/log/journal/remote/logs*.journal' SYSLOG_IDENTIFIER=nexus-check"
    look = f"{search} _HOSTNAME={hostname} -n 5 | grep -x {mark}"
    assert store.run(f"for n in $(seq {ARRIVAL_SECONDS}); do {look} && break; sleep 1; done").stdout.strip() == mark


def test_nothing_was_lost(host):
    sent = json.loads(host.file("/var/lib/nexus-log-forwarder/sent.json").content_string)
    assert sent["cursor"]
    assert sent["lost"] == 0


def test_the_journal_drops_no_lines(host):
    assert "Suppressed" not in host.run("journalctl -q -b -u systemd-journald -g Suppressed -n 1").stdout
