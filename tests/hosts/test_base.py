"""Base: no unit failed, root stays out, and the host knows the others."""

import pytest

testinfra_hosts = ["all"]


def test_no_unit_failed(host):
    assert host.check_output("systemctl list-units --state=failed,auto-restart --plain --no-legend") == ""


def test_ssh_starts_at_boot(host):
    assert host.service("ssh").is_enabled


def test_clock_is_kept(host, setting):
    assert host.service("chrony").is_running or not setting.base_chrony


def test_metrics_are_for_the_host_alone(host, address):
    assert host.socket("tcp://127.0.0.1:9100").is_listening
    assert not host.socket(f"tcp://{address}:9100").is_listening


@pytest.mark.parametrize("name", ["host", "certificate"])
def test_metrics_of_programs_are_written(host, name):
    assert host.service(f"nexus-metrics-{name}.timer").is_running
    assert host.file(f"/var/lib/prometheus/node-exporter/{name}.prom").contains("^nexus_textfile_interval_seconds")


def test_log_in_is_by_key_and_not_as_root(host, setting):
    wanted = {"permitrootlogin no", "passwordauthentication no", f"allowusers {setting.base_user}"}
    assert wanted <= set(host.check_output("sshd -T").splitlines())


def test_host_knows_the_others_by_name(host, env):
    lines = host.file("/etc/hosts").content_string.splitlines()
    assert [other.name for other in env.hosts if f"{other.address} {other.name}" not in lines] == []


def test_own_directory_is_closed(host):
    directory = host.file("/var/lib/nexus-cos")
    assert (directory.user, directory.group, directory.mode) == ("root", "root", 0o700)


def test_kernel_settings_are_in_force(host, setting):
    wanted = {name: str(value) for name, value in setting.base_sysctl.items()}
    found = {name: str(host.sysctl(name)) for name in wanted}
    wrong = [name for name in wanted if found[name] != wanted[name]]
    locked = [name for name in wrong if host.run_test("test -w %s", f"/proc/sys/{name.replace('.', '/')}").failed]
    own = {name: (found[name], wanted[name]) for name in wrong if name not in locked}
    assert not own, f"(value, planned value): {own}"
    if locked:
        pytest.skip(f"{', '.join(sorted(locked))}: the host's kernel belongs to the machine around it")


@pytest.mark.planned("operators")
def test_operator_may_log_in(fleet, item, env):
    fleet.want(item)
    machine, name = fleet.machine(item.host), item.name.removeprefix("operator ")
    user, keys = machine.user(name), env.host(item.host).setting.base_operators[name]
    assert "nexus-operators" in user.groups, f"{item.host}: {name} may not use sudo"
    found = machine.file(f"{user.home}/.ssh/authorized_keys").content_string.splitlines()
    assert found == [key.strip() for key in keys], f"{item.host}: {name} has other keys than planned"


def test_nobody_else_is_an_operator(host, setting):
    members = host.check_output("getent group nexus-operators").split(":")[3]
    assert set(filter(None, members.split(","))) == set(setting.base_operators)
