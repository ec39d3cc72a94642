"""What every host has: names of the others, SSH without root, kernel settings, a bounded journal."""

from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, Link, State, Unit
from roles.base.logs import open_logs
from roles.base.operators import check, group, logins, operators, sudoers

SOURCE = Path(__file__).parent / "host/state.py"
SSHD = "/etc/ssh/sshd_config.d/10-nexus-cos.conf"
JOURNAL = "/etc/systemd/journald.conf.d/10-nexus-cos.conf"
SYSCTL = "/etc/sysctl.d/60-nexus-cos.conf"
GENERATION = "/var/lib/nexus-cos/secrets-generation"


def plan(env: Environment, host: Host) -> Desired:
    """The base system of one host."""
    setting = host.setting
    chrony = ("chrony",) if setting.base_chrony else ()
    return Desired(
        early=(File("/etc/hosts", env.render("base/hosts.j2", host=host)),),  # brokers look up their name at start
        packages=(*setting.base_packages, *chrony),
        groups=(group(),),
        directories=(
            Directory("/etc/nexus-cos"),
            Directory("/var/lib/nexus-cos", mode=0o700),
            Directory(setting.log_directory, group="adm", mode=0o750),
            Directory("/etc/ssh/sshd_config.d"),
            Directory("/etc/systemd/journald.conf.d"),
            Directory("/var/log/journal", group="systemd-journal", mode=0o2755),
        ),
        files=(
            File(GENERATION, f"{env.secrets.generation}\n", mode=0o600),
            File(SSHD, _sshd(env, host)),
            sudoers(),
            File(JOURNAL, env.render("base/journald.conf.j2", host=host)),
            File(SYSCTL, "".join(f"{key} = {value}\n" for key, value in sorted(setting.base_sysctl.items()))),
        ),
        links=(Link("/etc/localtime", f"/usr/share/zoneinfo/{setting.base_timezone}"),),
        units=(
            Unit("ssh", restart_on=(SSHD,), reload_check="mkdir -p /run/sshd && sshd -t"),
            Unit("systemd-journald", restart_on=(JOURNAL,)),
            Unit("systemd-sysctl", restart_on=(SYSCTL,)),
            *map(Unit, chrony),
        ),
        states=(
            _in_force(env, host),
            operators(host),
            open_logs("systemd-journald.service", "/var/log/journal", "systemctl", "restart", "systemd-journald"),
        ),
    )


def _sshd(env: Environment, host: Host) -> str:
    return env.render("base/sshd.conf.j2", logins=logins(host))


def _in_force(env: Environment, host: Host) -> State:
    """The values that the kernel and daemons use; other files may override ours."""
    sysctl = {key: str(value) for key, value in host.setting.base_sysctl.items()}
    items: dict[str, dict[str, Any]] = {f"sysctl {key}": {"value": value} for key, value in sysctl.items()}
    items |= {f"{name} in force": {} for name in ("sshd", "journald", "units")}
    sshd = [line.split(None, 1) for line in _sshd(env, host).splitlines() if line]
    journald = env.render("base/journald.conf.j2", host=host).splitlines()
    context = {
        "sysctl": sysctl,
        "sysctl_file": SYSCTL,
        "sshd": {words[0]: words[1] for words in sshd},
        "sshd_file": SSHD,
        "journald": dict(line.split("=", 1) for line in journald if "=" in line),
        "journald_file": JOURNAL,
    }
    return State("in force", SOURCE, items, context=context)


def notes(env: Environment) -> list[str]:
    """None; OperatorError for operators whose accounts cannot be made, before any host is asked."""
    check(env)
    return []


def preflight(env: Environment, host: Host) -> str:
    """Refuse a login that sshd is about to close, and secrets older than the host's: they would undo a rotation."""
    admitted = logins(host)
    login = (
        f'case " {" ".join(admitted)} " in *" ${{SUDO_USER:-{admitted[0]}}} "*) ;; *) echo "this run logs in as '
        f"$SUDO_USER, and sshd would admit only {', '.join(admitted)} from now on: set ssh_user in the inventory to "
        f'{" or ".join(admitted)}, or base_user to $SUDO_USER, or add it to base_operators"; exit 1;; esac; '
    )
    return login + (
        f'read -r there 2>/dev/null <{GENERATION} || there=0; [ "$there" -le {env.secrets.generation} ] || {{ '
        f'echo "{env.secrets.path.name} is out of date: this host has secrets of generation $there, and the file here '
        f'has generation {env.secrets.generation}. Get the newest file (git pull)"; exit 1; }}'
    )
