"""What does the work of the scripts that the earlier handoff documents name, most of which never existed."""

from dataclasses import dataclass

REGION = "region"  # answered by the section about a second region


@dataclass(frozen=True)
class Script:
    """A script of the earlier documents: the command that does its work here, or REGION, and a remark."""

    name: str
    command: str
    remark: str = ""


SCRIPTS = (
    Script("backup-postgres.sh", "pyinfra inventory deploys/backup.py -y --data store=postgresql"),
    Script("backup-volumes.sh", "pyinfra inventory deploys/backup.py -y", "all stores; services have no volumes"),
    Script("build-all.sh", "pyinfra inventory deploys/container.py -y", "builds the images that are missing"),
    Script("check-region-health.sh", REGION),
    Script("deploy-k8s.sh", "pyinfra inventory deploys/kubernetes.py -y", "on a cluster that exists"),
    Script("deploy-kubernetes-cluster.sh", "make deploy", "on hosts of its own: this project makes no cluster"),
    Script("diagnostics.sh", "pyinfra inventory deploys/status.py"),
    Script("dr-test.sh", "pyinfra inventory deploys/restore_test.py -y"),
    Script("failover-drill.sh", "pyinfra inventory deploys/failover.py -y"),
    Script("monitor-traffic.sh", "pyinfra inventory deploys/report.py --data hours=24"),
    Script("restore-backup.sh", "pyinfra inventory deploys/restore.py -y --data store=all --data replace=true"),
    Script("rotate-api-keys.sh", "pyinfra inventory deploys/rotate_secrets.py -y --data secrets=all"),
    Script(
        "rotate-db-password.sh", "pyinfra inventory deploys/rotate_secrets.py -y --data secrets=postgresql/auth-service"
    ),
    Script("run-local.sh", "scripts/run-local", "the smallest whole platform, on one host"),
    Script("run-smoke-tests.sh", "pyinfra inventory deploys/verify.py -y"),
    Script("smoke-tests.sh", "pyinfra inventory deploys/verify.py -y"),
    Script("test-db-failover.sh", "pyinfra inventory deploys/failover.py -y", "a planned one loses no write"),
    Script("test-redis-failover.sh", "pyinfra inventory deploys/failover.py -y --data store=redis"),
    Script("test-regional-failover.sh", REGION),
    Script("update-dns.sh", REGION),
    Script("verify-backups.sh", "pyinfra inventory deploys/restore_test.py -y", "restores them, and compares"),
    Script("verify-db-integrity.sh", "pyinfra inventory deploys/restore_test.py -y"),
    Script("verify-env.sh", "pyinfra inventory deploys/full.py --dry --diff"),
    Script("verify-platform-health.sh", "pyinfra inventory deploys/verify.py -y --data functional=full"),
    Script("verify-recovery.sh", "pyinfra inventory deploys/verify.py -y"),
    Script("verify-replication.sh", "pyinfra inventory deploys/status.py"),
    Script("verify-test-env.sh", "make verify"),
)
