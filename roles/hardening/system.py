"""Measures of the system: files, mounts, core dumps, the banner, and programs that watch."""

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Directory, File, Unit
from roles.hardening.measure import Measure, Part

MOUNTS = "nexus-mounts.service"
SHARED_MEMORY, SHARED_MEMORY_OPTIONS = "/dev/shm", "nodev,noexec,nosuid"
ISSUES = ("/etc/issue", "/etc/issue.net")
AUDIT_RULES = "/etc/audit/rules.d/50-nexus.rules"
ROOT, SHADOW = "root:root", "root:shadow"
PERMISSIONS = {
    "/etc/passwd": ("0644", ROOT), "/etc/group": ("0644", ROOT),
    "/etc/shadow": ("0640", SHADOW), "/etc/gshadow": ("0640", SHADOW),
    "/etc/sudoers": ("0440", ROOT), "/etc/sudoers.d": ("0750", ROOT),
    "/etc/ssh/sshd_config": ("0600", ROOT),
    **{f"/etc/ssh/ssh_host_{kind}_key": ("0600", ROOT) for kind in ("ed25519", "rsa", "ecdsa")},
    "/etc/crontab": ("0600", ROOT),
    **{f"/etc/cron.{when}": ("0700", ROOT) for when in ("d", "hourly", "daily", "weekly", "monthly", "yearly")},
    "/root": ("0700", ROOT),
}  # fmt: skip


def _shared_memory(env: Environment, host: Host) -> Part:
    mounts = {SHARED_MEMORY: SHARED_MEMORY_OPTIONS}
    return Part(
        files=(File(f"/etc/systemd/system/{MOUNTS}", env.render("hardening/mounts.service.j2", mounts=mounts)),),
        units=(Unit(MOUNTS),),
        states={f"mount {path}": {"options": options} for path, options in mounts.items()},
    )


def _core_dumps(env: Environment, host: Host) -> Part:
    return Part(
        directories=(Directory("/etc/systemd/coredump.conf.d"),),
        files=(
            File("/etc/security/limits.d/nexus-core.conf", "* hard core 0\nroot hard core 0\n"),
            File("/etc/systemd/coredump.conf.d/10-nexus.conf", "[Coredump]\nStorage=none\nProcessSizeMax=0\n"),
        ),
    )


def _permissions(env: Environment, host: Host) -> Part:
    items = PERMISSIONS.items()
    return Part(states={f"permissions {path}": {"mode": mode, "owner": owner} for path, (mode, owner) in items})


def _banner(env: Environment, host: Host) -> Part:
    text = f"{host.setting.hardening_banner.rstrip()}\n"
    return Part(ssh={"Banner": ISSUES[-1]}, files=tuple(File(path, text) for path in ISSUES))


def _has_banner(env: Environment, host: Host) -> bool:
    return bool(host.setting.hardening_banner.strip())


def _apparmor(env: Environment, host: Host) -> Part:
    return Part(packages=("apparmor",), states={"apparmor": {"profiles": "loaded"}})


def _audit(env: Environment, host: Host) -> Part:
    return Part(
        packages=("auditd",),
        directories=(Directory("/etc/audit/rules.d", mode=0o750),),
        files=(File(AUDIT_RULES, env.render("hardening/audit.rules.j2"), mode=0o640),),
        units=(Unit("auditd"),),
        states={"audit rules": {"loaded": True}},
    )


def _has_audit(env: Environment, host: Host) -> bool:
    return bool(host.setting.hardening_auditd)


def _integrity(env: Environment, host: Host) -> Part:
    return Part(
        packages=("aide", "aide-common"),
        files=(File("/etc/aide/aide.conf.d/90_nexus", env.render("hardening/aide.conf.j2")),),
        units=(Unit("dailyaidecheck.timer"),),
        states={"aide database": {"there": True}},
    )


def _has_integrity(env: Environment, host: Host) -> bool:
    return bool(host.setting.hardening_aide)


MEASURES = (
    Measure(
        "shared-memory",
        f"{SHARED_MEMORY} holds no programs, devices or set-user-ID files",
        "Every account may write there; stores only share memory in it.",
        f"findmnt -no OPTIONS {SHARED_MEMORY}",
        _shared_memory,
    ),
    Measure(
        "core-dumps",
        "no core dumps of logins, and none that systemd would keep",
        "A dump holds the secrets of a process in a file.",
        "ulimit -Hc; systemd-analyze cat-config systemd/coredump.conf",
        _core_dumps,
    ),
    Measure(
        "permissions",
        "accounts, keys of sshd, sudo's rules and cron's tables are closed to others",
        "Who may write or read them becomes root.",
        "stat -c '%a %U:%G %n' /etc/shadow /etc/sudoers.d /etc/cron.*",
        _permissions,
    ),
    Measure(
        "banner",
        "hardening_banner is shown before a login",
        "Some courts want people to be warned first.",
        "cat /etc/issue.net",
        _banner,
        _has_banner,
    ),
    Measure(
        "apparmor",
        "AppArmor confines programs that have a profile, Docker's containers among them",
        "A taken program must not reach what it never needs.",
        "aa-status; cat /sys/module/apparmor/parameters/enabled",
        _apparmor,
    ),
    Measure(
        "audit",
        "auditd records changes of accounts, sudo, SSH and kernel modules (hardening_auditd)",
        "What happened must be known even if a program's own log was removed.",
        "auditctl -l",
        _audit,
        _has_audit,
    ),
    Measure(
        "file-integrity",
        "AIDE compares system files with a database each day (hardening_aide)",
        "Programs that were replaced must be noticed.",
        "systemctl list-timers dailyaidecheck; aide --check --config /etc/aide/aide.conf",
        _integrity,
        _has_integrity,
    ),
)
