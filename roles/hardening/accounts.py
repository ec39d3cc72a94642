"""Measures of accounts: passwords, homes, shells, what people may write, and what sudo did.

Accounts that log in by key have no password: what ends passwords must not end them.
"""

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import File
from roles.base.operators import logins
from roles.hardening.measure import Measure, Part

SUDOERS = "/etc/sudoers.d/"
SUDO_LOG = "/var/log/sudo.log"
FAILLOCK = "/etc/security/faillock.conf"
PROFILES = "/usr/share/pam-configs/"
COST = "7"  # of yescrypt: four times the work and the memory, 64 MiB, of its default, 5
ROUNDS = "65536"  # of SHA-512, for tools that are told to use it


def _ages(env: Environment, host: Host) -> Part:
    days = str(host.setting.hardening_password_days_max)
    ages = {"PASS_MAX_DAYS": days, "PASS_MIN_DAYS": "1", "PASS_WARN_AGE": "14"}
    defaults = {f"login.defs {key}": {"value": value} for key, value in ages.items()}
    return Part(states=defaults | {f"account {name}": {"ends": "never"} for name in logins(host)})


def _umask(env: Environment, host: Host) -> Part:
    path = f"{SUDOERS}nexus-umask"
    return Part(
        files=(File(path, env.render("hardening/sudo-umask.j2"), mode=0o440),),
        states={"login.defs UMASK": {"value": "027"}},
    )


def _tries(env: Environment, host: Host) -> Part:
    names = ("nexus-faillock", "nexus-faillock-first")
    profiles = (File(f"{PROFILES}{name}", env.render(f"hardening/{name}.j2")) for name in names)
    settings = File(FAILLOCK, env.render("hardening/faillock.conf.j2", host=host))
    return Part(files=(settings, *profiles), states={"pam faillock": {"enabled": True}})


def _hashes(env: Environment, host: Host) -> Part:
    values = {"YESCRYPT_COST_FACTOR": COST, "SHA_CRYPT_MIN_ROUNDS": ROUNDS, "SHA_CRYPT_MAX_ROUNDS": ROUNDS}
    return Part(states={f"login.defs {key}": {"value": value} for key, value in values.items()})


def _strength(env: Environment, host: Host) -> Part:
    name = "nexus-passwdqc"
    return Part(
        packages=("libpam-passwdqc",),
        files=(File(f"{PROFILES}{name}", env.render(f"hardening/{name}.j2")),),
        states={"pam passwdqc": {"enabled": True}},
    )


def _homes(env: Environment, host: Host) -> Part:
    return Part(states={f"home {name}": {"closed": True} for name in logins(host)})


def _idle_shells(env: Environment, host: Host) -> Part:
    seconds = int(host.setting.hardening_shell_idle_seconds)
    return Part(files=(File("/etc/profile.d/nexus-idle.sh", env.render("hardening/idle.sh.j2", seconds=seconds)),))


def _sudo_log(env: Environment, host: Host) -> Part:
    return Part(
        packages=("logrotate",),
        files=(
            File(f"{SUDOERS}nexus-log", env.render("hardening/sudo-log.j2", log=SUDO_LOG), mode=0o440),
            File("/etc/logrotate.d/nexus-sudo", env.render("hardening/sudo.logrotate.j2", log=SUDO_LOG)),
        ),
    )


MEASURES = (
    Measure(
        "password-ages",
        "passwords end after a year, and accounts that runs and operators log in as never do",
        "A known password must not stay good, and a key must not stop working because a password is old.",
        "grep ^PASS_ /etc/login.defs; chage -l USER",
        _ages,
    ),
    Measure(
        "password-tries",
        "after some wrong passwords an account's passwords are refused for a while; keys are not",
        "Passwords must not be guessed at a console or by su.",
        "faillock; grep pam_faillock /etc/pam.d/common-auth",
        _tries,
    ),
    Measure(
        "password-hashes",
        "hashes of new passwords cost four times the work of the default",
        "Passwords must not be found soon by someone who has a copy of /etc/shadow.",
        "grep -E '^(YESCRYPT|SHA_CRYPT)_' /etc/login.defs",
        _hashes,
    ),
    Measure(
        "password-strength",
        "short and simple passwords are refused, also those that root sets",
        "A console, su and sudo may ask for one, and a simple one is guessed in a few tries.",
        "grep passwdqc /etc/pam.d/common-password",
        _strength,
    ),
    Measure(
        "homes",
        "homes of accounts that runs and operators log in as are closed to others",
        "Keys, histories and copies in a home are for its owner alone.",
        "stat -c '%A %n' /home/*",
        _homes,
    ),
    Measure(
        "idle-shells",
        "login shells that wait for a command longer than hardening_shell_idle_seconds end",
        "A forgotten session must not be there for the next person at that keyboard.",
        "bash -lc 'echo $TMOUT'",
        _idle_shells,
    ),
    Measure(
        "umask",
        "files that people make are closed to others; those that sudo makes stay readable",
        "Copies and dumps in a home directory must not be readable by every daemon.",
        "grep ^UMASK /etc/login.defs; umask",
        _umask,
    ),
    Measure(
        "sudo-log",
        f"every command of sudo is written to {SUDO_LOG}, and runs in a terminal of its own",
        "What a person did as root must be known, and must not outlive the session unseen.",
        f"tail {SUDO_LOG}",
        _sudo_log,
    ),
)
