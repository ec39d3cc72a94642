"""Hardening: what its measures set is in force, as the host's own tools tell."""

from __future__ import annotations

import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from nexus.environment.environment import Environment
from roles.hardening.measures import measures
from roles.hardening.plan import plan

testinfra_hosts = ["all"]


@pytest.mark.planned("hardening", prefix="sysctl ")
def test_kernel_setting(fleet: Fleet, item: Item) -> None:
    wanted, machine = fleet.want(item)["value"], fleet.machine(item.host)
    path = "/proc/sys/" + item.name.removeprefix("sysctl ").replace(".", "/")
    found = machine.run(f"for file in {path}; do test ! -w $file || echo $(cat $file); done").stdout.splitlines()
    wrong = sorted({value for value in found if value != wanted})
    assert not wrong, f"{item.host}: {item.name} is {', '.join(wrong)}, planned is {wanted}"


@pytest.mark.planned("hardening", prefix="sshd")
def test_sshd_uses_its_settings(fleet: Fleet, item: Item, env: Environment) -> None:
    wanted = [measure.part(env, env.host(item.host)).ssh for measure in measures(env, env.host(item.host))]
    lines = {f"{key.lower()} {value}" for part in wanted for key, value in part.items()}
    assert lines
    found = set(fleet.machine(item.host).check_output("sshd -T").splitlines())
    assert not lines - found, f"{item.host}: sshd does not say {', '.join(sorted(lines - found))}"


@pytest.mark.planned("hardening", prefix="account ")
def test_account_never_ends(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    lines = fleet.machine(item.host).check_output("chage -l %s", item.name.removeprefix("account ")).splitlines()
    found = {words[0].strip(): words[-1].strip() for words in (line.split(":") for line in lines)}
    ends = {name: found[name] for name in ("Password expires", "Password inactive", "Account expires")}
    assert set(ends.values()) == {"never"}, f"{item.host}: {item.name}: {ends}"


@pytest.mark.planned("hardening", prefix="login.defs ")
def test_default_of_new_accounts(fleet: Fleet, item: Item) -> None:
    wanted, key = fleet.want(item)["value"], item.name.removeprefix("login.defs ")
    found = fleet.machine(item.host).check_output(f"awk '$1 == \"{key}\" {{print $2}}' /etc/login.defs").split()
    assert found[-1:] == [wanted], f"{item.host}: {key} is {found}, planned is {wanted}"


@pytest.mark.planned("hardening", prefix="permissions ")
def test_permissions(fleet: Fleet, item: Item) -> None:
    wanted, file = fleet.want(item), fleet.machine(item.host).file(item.name.removeprefix("permissions "))
    if file.exists:
        found = f"{file.mode:04o} {file.user}:{file.group}"
        planned = f"{wanted['mode']} {wanted['owner']}"
        assert found == planned, f"{item.host}: {item.name} is {found}, planned is {planned}"


@pytest.mark.planned("hardening", prefix="mount ")
def test_mount_options(fleet: Fleet, item: Item) -> None:
    wanted, path = fleet.want(item)["options"], item.name.removeprefix("mount ")
    options = set(fleet.machine(item.host).mount_point(path).options)
    missing = sorted(set(wanted.split(",")) - options)
    assert not missing, f"{item.host}: {path} is mounted without {', '.join(missing)}"


@pytest.mark.planned("hardening", prefix="pam ")
def test_passwords_pass_a_module(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    places = {"pam faillock": ("auth", "account"), "pam passwdqc": ("password",)}[item.name]
    for place in places:
        file = fleet.machine(item.host).file(f"/etc/pam.d/common-{place}")
        assert file.contains(f"pam_{item.name.removeprefix('pam ')}.so"), f"{item.host}: {file.path} lacks it"


@pytest.mark.planned("hardening", prefix="home ")
def test_home_is_closed(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    machine = fleet.machine(item.host)
    home = machine.file(machine.user(item.name.removeprefix("home ")).home)
    assert not home.mode & 0o027, f"{item.host}: {home.path} is {home.mode:04o}"


@pytest.mark.planned("hardening", prefix="apparmor")
def test_profiles_are_loaded(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    machine = fleet.machine(item.host)
    if machine.run("cat /sys/module/apparmor/parameters/enabled").stdout.strip() != "Y":
        pytest.skip(f"{item.host}: its kernel runs without AppArmor")
    assert machine.file("/sys/kernel/security/apparmor/profiles").content_string.strip(), f"{item.host}: no profile"


@pytest.mark.planned("hardening", prefix="audit ")
def test_rules_of_audit_are_loaded(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    assert "-k nexus" in fleet.machine(item.host).check_output("auditctl -l"), f"{item.host}: no rule of ours"


@pytest.mark.planned("hardening", prefix="aide ")
def test_files_have_a_database(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    assert fleet.machine(item.host).file("/var/lib/aide/aide.db").exists, f"{item.host}: no database of AIDE"


def test_rules_of_sudo_are_valid(host):
    assert host.run_test("visudo -c").succeeded


def test_sudo_writes_its_log(host, env, hostname):
    if "sudo-log" not in [measure.name for measure in measures(env, env.host(hostname))]:
        pytest.skip("the measure sudo-log is taken back")
    log = host.file("/var/log/sudo.log")
    assert log.contains("COMMAND=")
    assert (log.mode & 0o077, log.user) == (0, "root")


def test_sudo_keeps_what_it_makes_readable(host, env, hostname):
    if "umask" in [measure.name for measure in measures(env, env.host(hostname))]:
        assert host.check_output("sudo sh -c umask") == "0022"


def test_a_login_shell_ends_when_it_waits(host, env, hostname):
    if "idle-shells" in [measure.name for measure in measures(env, env.host(hostname))]:
        seconds = host.check_output("bash -lc 'echo $TMOUT'")
        assert seconds == str(env.host(hostname).setting.hardening_shell_idle_seconds)


def test_modules_are_refused(host, env, hostname):
    planned = [file.path for file in plan(env, env.host(hostname)).files if file.path.startswith("/etc/modprobe.d/")]
    if not planned:
        pytest.skip("the measure kernel-modules is taken back")
    assert host.file(planned[0]).contains("^install sctp /bin/false")


def test_own_units_are_sandboxed(host):
    """Those that have a sandbox; the others are listed with their reasons in tests/plan/test_sandbox.py."""
    listed = host.check_output("grep -ls '^SystemCallFilter=' /etc/systemd/system/*.service").split()
    assert any(path.endswith("nexus-log-forwarder.service") for path in listed)
    for path in listed:
        unit = path.rpartition("/")[2]
        done = host.run("systemd-analyze security --no-pager --threshold=40 %s", unit)
        assert done.succeeded, f"{unit}: {done.stdout.splitlines()[-1:]}"
