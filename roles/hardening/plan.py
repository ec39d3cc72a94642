"""All measures of a host as one plan: a file for sshd, one for the kernel, and what each measure brings."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, State
from roles.base.operators import logins
from roles.hardening.measure import Part, Settings
from roles.hardening.measures import MEASURES, measures, taken_back

SOURCE = Path(__file__).parent / "host/state.py"
SSHD = "/etc/ssh/sshd_config.d/20-nexus-hardening.conf"
SSHD_STAMP = "/run/nexus-cos/stamp/sshd-hardening"
SSHD_UNIT = "/etc/systemd/system/ssh.service.d/60-nexus-hardening.conf"
SYSCTL = "/etc/sysctl.d/61-nexus-hardening.conf"


def plan(env: Environment, host: Host) -> Desired:
    """What the measures in force set on a host."""
    parts = [measure.part(env, host) for measure in measures(env, host)]
    sshd, sysctl = _merged(part.ssh for part in parts), _sysctl(host, parts)
    sshd_text = "".join(f"{key} {value}\n" for key, value in sshd.items())
    sysctl_text = "".join(f"{key} = {value}\n" for key, value in _lines(sysctl))
    states = _states(parts, sysctl, sshd_text)
    return Desired(
        packages=tuple(package for part in parts for package in part.packages),
        directories=(Directory("/etc/ssh/sshd_config.d"), *(one for part in parts for one in part.directories)),
        files=(
            File(SSHD, sshd_text),
            File(SSHD_UNIT, env.render("hardening/ssh.conf.j2", stamp=SSHD_STAMP, path=SSHD)),
            File(SYSCTL, sysctl_text),
            *(file for part in parts for file in part.files),
        ),
        units=tuple(unit for part in parts for unit in part.units),
        states=(State("hardening", SOURCE, states, context=_context(states, sshd, sysctl), extra="remove"),),
    )


def notes(env: Environment) -> list[str]:
    """None; OperatorError for a setting that names no measure, before any host is asked."""
    for host in env.hosts:
        taken_back(host)
    return []


def preflight(env: Environment, host: Host) -> str | None:
    """Refuse if sshd is about to refuse every key of an account that runs log in as: all are too short."""
    if MEASURES["ssh-algorithms"] not in measures(env, host):
        return None
    user, bits = logins(host)[0], int(host.setting.hardening_ssh_rsa_bits)
    return (
        f"grep -qsx 'RequiredRSASize {bits}' {SSHD} || {{ "
        f"keys=$(getent passwd {user} | cut -d: -f6)/.ssh/authorized_keys; "
        '[ ! -s "$keys" ] || ssh-keygen -lf "$keys" 2>/dev/null | '
        f"awk '$NF != \"(RSA)\" || $1 >= {bits} {{ good = 1 }} END {{ exit NR > 0 && !good }}'; }} || {{ "
        f'echo "every key of {user} is an RSA key of less than {bits} bits, and sshd would refuse it from now on: add '
        'an Ed25519 key to $keys, or lower hardening_ssh_rsa_bits"; exit 1; }'
    )


def _merged(settings: Iterable[Settings]) -> dict[str, str]:
    return {key: value for one in settings for key, value in one.items()}


def _sysctl(host: Host, parts: Iterable[Part]) -> dict[str, str]:
    """Kernel settings without those that the role base sets: an operator's own value counts."""
    return {
        key: value for key, value in _merged(part.sysctl for part in parts).items()
        if key not in host.setting.base_sysctl
    }  # fmt: skip


def _lines(sysctl: Settings) -> Iterator[tuple[str, str]]:
    """Lines of sysctl.d: a pattern does not reach the names that a file of the system sets by themselves."""
    for key, value in sysctl.items():
        names = ("all", "default", "*") if "*" in key else ("",)
        yield from ((key.replace("*", name), value) for name in names)


def _states(parts: Iterable[Part], sysctl: Settings, sshd_text: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {f"sysctl {key}": {"value": value} for key, value in sysctl.items()}
    found["sshd"] = {"file": hashlib.sha256(sshd_text.encode()).hexdigest()}
    return found | {name: wanted for part in parts for name, wanted in part.states.items()}


def _context(states: Mapping[str, Any], sshd: Settings, sysctl: Settings) -> dict[str, Any]:
    return {
        "wanted": dict(states),
        "sshd": dict(sshd),
        "sshd_file": SSHD,
        "sshd_stamp": SSHD_STAMP,
        "sysctl": dict(_lines(sysctl)),
        "sysctl_file": SYSCTL,
    }
