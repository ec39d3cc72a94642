"""Measures of accounts: passwords, what people may write, and what sudo did.

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
