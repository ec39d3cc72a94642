"""The faults that alerts must tell of, in batches that are set at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from alert_fault import FAILED_UNIT, PRIMARY, REPLICA, AlertFault, asks, cut, joined, stopped

PATRONICTL = "patronictl -c /etc/patroni/config.yml"
PSQL = "cd / && runuser -u postgres -- psql -Xqh /run/postgresql"
API = "--resolve api.nexuscos.example.com:443:$(hostname -I | cut -d' ' -f1) https://api.nexuscos.example.com"
NODE_METRICS = "/var/lib/prometheus/node-exporter"
UPDATES = f"{NODE_METRICS}/updates.prom"
VICTIM = "glitch"  # a service that no other one needs
POSTS = f"-d '{{}}' {API}/api/errors/"  # its route
IN_VICTIM = f"for id in $(docker ps -qf name=nexus_{VICTIM}[.]); do docker exec -d $id"
BUSY = "timeout 420 sh -c 'while :; do :; done'"
LARGE = "timeout 240 node -e 'a = Buffer.alloc(9e8, 1); setTimeout(() => a, 240000)'"
KILLED = "vscreen-hollywood"
KILLS = f"for n in 1 2 3; do docker ps -qf name=nexus_{KILLED}[.] | xargs -r docker kill; sleep 15; done"
WRITES = "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000)) FROM generate_series(1, 100)"
BACKUPS = f"{NODE_METRICS}/nexus_backup.prom"
AGED = f"[ ! -e {BACKUPS} ] || sed -i.kept 's/ [0-9]*$/ 1000/' {BACKUPS}"
RENEWED = f"[ ! -e {BACKUPS}.kept ] || mv {BACKUPS}.kept {BACKUPS}"
BROKEN_RULE = """cat >/etc/prometheus/rules/broken.yml <<'END'
groups: [{name: broken, rules: [{record: broken, expr: up * on () node_load1}]}]
END
systemctl reload prometheus"""

FAULTS: Sequence[AlertFault] = (
    stopped("TargetDown", "app", "prometheus-node-exporter"),
    stopped("PgbouncerDown", "postgresql", "pgbouncer"),
    AlertFault("UnitFailed", "ops", f"systemd-run --unit={FAILED_UNIT} false", f"systemctl reset-failed {FAILED_UNIT}"),
    # Two of three hosts of the data tier stay as they are.
    stopped("EtcdMembersMissing", "etcd", "etcd", number=2, about="-", batch=1),
    stopped("PostgresqlDown", "postgresql", "patroni", number=2, batch=1),
    stopped("RedisDown", "redis", "redis-server@cache", number=2, batch=1),
    stopped("RabbitmqNodesMissing", "rabbitmq", "rabbitmq-server", number=2, about="-", batch=1),
    AlertFault("RabbitmqPeerUnreachable", "rabbitmq", "true", "true", batch=1),  # it is the same fault
    AlertFault(
        "BackendWithoutServers",
        "app",
        "iptables -I OUTPUT -p tcp --dport 5671 -j REJECT --reject-with tcp-reset",
        "iptables -D OUTPUT -p tcp --dport 5671 -j REJECT --reject-with tcp-reset",
        batch=1,
    ),
    AlertFault(
        "RebootRequired",
        "app",
        "touch -d '8 days ago' /run/reboot-required; systemctl start nexus-metrics-host",
        "rm -f /run/reboot-required; systemctl start nexus-metrics-host",
        batch=1,
    ),
    AlertFault(
        "PackageListsOld",
        "ops",
        f"sed -i 's/^nexus_security_updates_enabled .*/nexus_security_updates_enabled 1/; "
        f"s/^nexus_package_lists_timestamp_seconds .*/nexus_package_lists_timestamp_seconds 1/' {UPDATES}",
        "systemctl start nexus-metrics-updates",
        batch=1,
    ),
    AlertFault(
        "TextfileStale",
        "app",
        f"systemctl stop nexus-metrics-host.timer; touch -d '2 days ago' {NODE_METRICS}/host.prom",
        "systemctl start nexus-metrics-host.timer nexus-metrics-host",
        number=1,
        batch=1,
    ),
    stopped(
        "LogsBehind", "app", "nexus-log-forwarder", number=1, batch=1, seconds=190
    ),  # a limit of 120 s, asked each 60 s
    AlertFault(
        "LogsNotPacked",
        "ops",
        'systemctl stop nexus-log-pack.timer; sed -i \'s/"complete": [0-9.]*/"complete": 1/\' '
        "/var/lib/nexus-log-pack/packed.json; systemctl start nexus-metrics-log_store",
        "systemctl start nexus-log-pack.timer nexus-log-pack nexus-metrics-log_store",
        batch=1,
    ),
    AlertFault(
        "FilesystemReadOnly",
        "app",
        "mkdir -p /srv/ro && mount --bind /var/lib/docker /srv/ro && mount -o remount,bind,ro /srv/ro",
        "umount /srv/ro; rmdir /srv/ro",
        number=2,
        batch=1,
    ),
    AlertFault(
        "PostgresqlFailoverPaused",
        "postgresql",
        f"{PATRONICTL} pause --wait",
        f"{PATRONICTL} resume --wait",
        about="-",
        batch=2,
    ),
    AlertFault(
        "PostgresqlPendingRestart",
        "postgresql",
        f"{PSQL} -c 'ALTER SYSTEM SET max_files_per_process = 999' -c 'SELECT pg_reload_conf()'",
        f"{PSQL} -c 'ALTER SYSTEM RESET max_files_per_process' -c 'SELECT pg_reload_conf()'",
        number=PRIMARY,
        batch=2,
    ),
    AlertFault(
        "DatabaseConnectionsHigh",
        "postgresql",
        f"for n in $(seq 84); do ({PSQL} -c 'SELECT pg_sleep(400)' >/dev/null 2>&1 &) ; done",
        f"""{PSQL} -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'" """,
        number=REPLICA,
        batch=2,
    ),
    AlertFault(
        "RabbitmqAlarm",
        "rabbitmq",
        "rabbitmqctl -q set_disk_free_limit 900GB",
        "rabbitmqctl -q set_disk_free_limit 512MB",
        batch=2,
        seconds=10,  # RabbitMQ looks at its disk as seldom
    ),
    AlertFault(
        "PrometheusConfigurationRefused",
        "ops",
        "echo 'not: [yaml' >>/etc/prometheus/prometheus.yml; systemctl reload prometheus",
        "sed -i '$d' /etc/prometheus/prometheus.yml; systemctl reload prometheus",
        batch=2,
    ),
    AlertFault(
        "AlertmanagerConfigurationRefused",
        "ops",
        "echo 'not: [yaml' >>/etc/prometheus/alertmanager.yml; systemctl reload prometheus-alertmanager",
        "sed -i '$d' /etc/prometheus/alertmanager.yml; systemctl reload prometheus-alertmanager",
        batch=2,
    ),
    AlertFault(
        "RunIncomplete",
        "ops",
        f"sed -i 's/^nexus_run_complete .*/nexus_run_complete 0/' {NODE_METRICS}/nexus_run.prom",
        f"sed -i 's/^nexus_run_complete .*/nexus_run_complete 1/' {NODE_METRICS}/nexus_run.prom",
        batch=2,
    ),
    # The edge and one service.
    AlertFault(
        "ServiceDown",
        "app",
        f"docker service scale -d nexus_{VICTIM}=0",
        f"docker service scale -d nexus_{VICTIM}=1",
        about=VICTIM,
        batch=3,
    ),
    AlertFault(
        "AuthServiceDown",
        "app",
        "docker service scale -d nexus_auth-service=0",
        "docker service scale -d nexus_auth-service=1",
        about="auth-service",
        batch=3,
    ),
    AlertFault(
        "ProbeFailed",
        "app",
        "docker service scale -d nexus_token-mgr=0",
        "docker service scale -d nexus_token-mgr=1",
        about="edge1",
        batch=3,
    ),
    AlertFault("HighErrorRate", "edge", f"sleep 5; {asks(POSTS, 300)}", "true", about=VICTIM, batch=3, seconds=30),
    AlertFault("ErrorBudgetFast", "edge", "true", "true", about=VICTIM, batch=3, seconds=30),
    AlertFault(
        "PrometheusRulesFail",
        "ops",
        BROKEN_RULE,
        "rm /etc/prometheus/rules/broken.yml; systemctl reload prometheus",
        batch=3,
    ),
    *(
        AlertFault("HighCPU", "app", f"{IN_VICTIM} {BUSY}; done", "true", number, VICTIM, batch=4, seconds=300)
        for number in range(3)
    ),
    *(
        AlertFault("HighMemory", "app", f"{IN_VICTIM} {LARGE}; done", "true", number, VICTIM, batch=4, seconds=60)
        for number in range(3)
    ),
    AlertFault(
        "RedisSentinelQuorum",
        "redis",
        "systemctl stop redis-sentinel",
        "systemctl start redis-sentinel",
        number=1,
        about="data1",
        batch=4,
    ),
    stopped("RedisDown", "redis", "redis-sentinel", number=2, batch=4),
    # Replicas that fall behind or lose their primary; backups that are not made any longer.
    AlertFault(
        "PostgresqlReplicationLag",
        "postgresql",
        f"{PSQL} -c 'SELECT pg_wal_replay_pause()'",
        f"{PSQL} -c 'SELECT pg_wal_replay_resume()'",
        number=REPLICA,
        batch=9,
    ),
    AlertFault("PostgresqlReplicationLag", "postgresql", f'{PSQL} -c "{WRITES}"', "true", number=PRIMARY, batch=9),
    *(
        AlertFault("RedisLinkDown", "redis", cut(6379), joined(6379), number=number, about="*", batch=9)
        for number in (1, 2)
    ),
    *(
        AlertFault(alert, "data", f"{aged}", f"{renewed}", number=number, about="-", batch=9)
        for alert, aged, renewed in (("BackupTooOld", AGED, RENEWED), ("RestoreTestTooOld", "true", "true"))
        for number in range(3)
    ),
    AlertFault("BackupTooOld", "ops", AGED, RENEWED, about="-", batch=9),
    AlertFault(
        "TasksMissing",
        "app",
        f"docker service update -qd --constraint-add node.labels.nowhere==1 nexus_{VICTIM}",
        f"docker service update -qd --constraint-rm node.labels.nowhere==1 nexus_{VICTIM}",
        about=VICTIM,
        batch=9,
        seconds=60,
    ),
    *(
        AlertFault("PodCrashLooping", "app", KILLS, "true", number=number, about=KILLED, batch=10, seconds=90)
        for number in range(3)
    ),
    AlertFault("PostgresqlNotStreaming", "postgresql", cut(5432), joined(5432), number=REPLICA, batch=10),
    stopped("SwarmNodeDown", "app", "docker.socket docker.service", number=2, batch=11, seconds=60),
    stopped("NginxDown", "edge", "nginx", batch=5),
    stopped("EtcdNoLeader", "etcd", "etcd", number=1, about="data1", batch=6),
    stopped("EtcdMembersMissing", "etcd", "etcd", number=2, about="-", batch=6),
    stopped("PostgresqlNoSynchronousStandby", "postgresql", "patroni", number=1, about="-", batch=7),
    stopped("PostgresqlDown", "postgresql", "patroni", number=2, batch=7),
    stopped("PostgresqlNoPrimary", "postgresql", "patroni", about="-", batch=8),
    stopped("PostgresqlDown", "postgresql", "patroni", number=1, batch=8),
    stopped("PostgresqlDown", "postgresql", "patroni", number=2, batch=8),
    stopped("RedisPrimaryDown", "redis", "redis-server", about="-", batch=8, seconds=15),  # Sentinels wait
    stopped("RedisDown", "redis", "redis-server", number=1, batch=8),
    stopped("RedisDown", "redis", "redis-server", number=2, batch=8),
)
