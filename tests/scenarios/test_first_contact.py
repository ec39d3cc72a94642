"""Hosts that exist and that nobody prepared: what first contact says of them, and a platform on four of them.

They have another user, whose sudo asks for a password, and host keys that nobody knows; all but one are behind a
bastion.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bare_hosts import ADDRESSES, NAME, PASSWORD, USER, BareHosts
from conftest import Figure

from nexus.provider import lab

READY_SECONDS = 20
LAB = ("--data", "base_chrony=false")  # hosts of a lab share the kernel's clock
MEMORY_GIB = 16  # one host says that it has all of the machine's


def made(names: list[str], config: pytest.Config, place: Path) -> Iterator[BareHosts]:
    if not config.getoption("--lab"):
        pytest.skip("scenarios on the lab's hosts run with --lab")
    if reason := lab.reason_lab_cannot_run():
        pytest.skip(f"no lab on this machine: {reason}")
    if os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < MEMORY_GIB << 30:
        pytest.skip(f"less than {MEMORY_GIB} GiB of memory: the platform would not fit on one host")
    hosts = BareHosts(place, names)
    try:
        hosts.up()
        yield hosts
    finally:
        hosts.down()


@pytest.fixture(scope="module")
def one(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareHosts]:
    """One host."""
    yield from made(["edge1"], pytestconfig, tmp_path_factory.mktemp("one"))


@pytest.fixture
def known(one: BareHosts) -> Iterator[BareHosts]:
    """One host, with its environment as `make environment` writes it from what the host says."""
    done = one.environment(NEXUS_FINGERPRINTS=one.fingerprint("edge1"), NEXUS_SUDO_PASSWORD=PASSWORD)
    assert done.status == 0, done.end
    yield one
    assert one.remove().status == 0


def refused(hosts: BareHosts, *said: str, **env: str) -> None:
    done = hosts.provision(**env)
    assert done.status == 1, done.end
    assert "Traceback" not in done.output, done.end
    reasons = "\n".join(line for line in done.output.splitlines() if "refused: " in line)
    for words in said:
        assert words in reasons, done.end
    assert "Nothing was changed on any host." in done.output


def test_from_a_bare_host_to_ready(known: BareHosts, figure: Figure) -> None:
    done = known.provision()
    assert done.status == 0, done.end
    figure("first contact: one host", done.seconds)
    assert f"edge1: {USER} at 10.213.0.61; sudo with a password; Debian GNU/Linux 13" in done.output, done.end
    assert "; new; ready" in done.output
    assert done.seconds < READY_SECONDS
    assert PASSWORD not in done.output


RELEASE = "ID=ubuntu\\nVERSION_ID=24.04\\nPRETTY_NAME=Ubuntu\\n"
PROGRAM, KEPT = "/usr/bin/{0} /usr/bin/{0}.kept", "/usr/bin/{0}.kept /usr/bin/{0}"
KEYS = f"/home/{USER}/.ssh/authorized_keys"
FAULTS = {  # what is wrong: (how it comes, how it goes, what is said)
    "distribution": (
        f"mv /etc/os-release /etc/os-release.kept; printf '{RELEASE}' > /etc/os-release",
        "mv -f /etc/os-release.kept /etc/os-release",
        "runs Ubuntu, and only Debian 13 is supported",
    ),
    "sshd": (
        "systemctl stop ssh.socket 2>/dev/null || true; systemctl stop ssh.service",
        "systemctl start ssh.service",
        "nothing answers on port 22",
    ),
    "key of the operator": (f"mv {KEYS} {KEYS}.kept", f"mv {KEYS}.kept {KEYS}", f"refuses {USER} with "),
    "no sudo": (f"mv {PROGRAM.format('sudo')}", f"mv {KEPT.format('sudo')}", "has no sudo: as root"),
    "not in sudoers": (f"gpasswd -d {USER} sudo", f"gpasswd -a {USER} sudo", f"does not let {USER} use sudo"),
    "no Python": (f"mv {PROGRAM.format('python3')}", f"mv {KEPT.format('python3')}", "has no python3: apt-get"),
    "a port": (
        "systemd-run --quiet --unit squatter python3 -m http.server 443; sleep 2",
        "systemctl stop squatter",
        "has python3 on tcp port 443, which nginx needs",
    ),
    "name": ("hostname elsewhere", "hostname edge1", "calls itself elsewhere"),
    "disk": ("mount -t tmpfs -o size=64m none /var", "umount /var", "GiB free below /var, and 2.0 are needed"),
    "MTU": (
        "cat /sys/class/net/host0/mtu > /run/mtu; ip link set host0 mtu 1290",
        'ip link set host0 mtu "$(cat /run/mtu)"',
        "has an MTU of 1290 on its uplink",
    ),
    "network": (
        "ip route add 10.220.0.0/16 dev host0",
        "ip route del 10.220.0.0/16 dev host0",
        "has a route to 10.220.0.0/16, and service_network is",
    ),
}


@pytest.mark.full
@pytest.mark.parametrize("case", FAULTS)
def test_a_host_is_refused(known: BareHosts, case: str) -> None:
    script, undo, said = FAULTS[case]
    with known.fault("edge1", script, undo):
        refused(known, said)
    assert known.provision().status == 0


def test_a_wrong_password_is_refused(known: BareHosts) -> None:
    refused(known, f"has another sudo password for {USER}", NEXUS_SUDO_PASSWORD="wrong")


@pytest.mark.full
def test_a_key_that_changed_is_refused(known: BareHosts) -> None:
    change = "cp -a /etc/ssh/ssh_host_ed25519_key* /root/; rm /etc/ssh/ssh_host_ed25519_key*; "
    change += "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh"
    with known.fault("edge1", change, "mv -f /root/ssh_host_ed25519_key* /etc/ssh/; systemctl restart ssh"):
        refused(known, "it was reinstalled, or somebody is in between")


def test_an_unknown_key_is_refused(one: BareHosts) -> None:
    done = one.environment("sizes=4x24")
    assert done.status == 0, done.end
    refused(one, one.fingerprint("edge1"), "which nobody confirmed")
    assert one.remove().status == 0


@pytest.mark.full
def test_from_a_fresh_copy_to_a_verified_platform(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory, figure: Figure
) -> None:
    """Four hosts, three of them behind the first one; no file is edited by hand."""
    for hosts in made(list(ADDRESSES), pytestconfig, tmp_path_factory.mktemp("four")):
        with hosts.behind_bastion():
            _whole(hosts, figure)


def _whole(hosts: BareHosts, figure: Figure) -> None:
    given, password = ",".join(map(hosts.fingerprint, hosts.names)), {"NEXUS_SUDO_PASSWORD": PASSWORD}
    # Asked for their sizes, each would say that it has all of the machine.
    steps = [hosts.environment("sizes=2x14", "sudo_password=yes")]
    steps.append(hosts.type(sys.executable, "-m", "runbooks.secret.fill", NAME))
    steps.append(hosts.provision(NEXUS_FINGERPRINTS=given))
    steps.append(hosts.pyinfra("inventory", "full", *LAB))
    for step in steps:
        assert step.status == 0, step.end
    _, healthy, services = steps[-1].closing
    assert healthy == services > 0
    figure("first contact: from four bare hosts to a platform", sum(step.seconds for step in steps))
    again = hosts.pyinfra("inventory", "full", *LAB)
    assert (again.status, again.closing[0]) == (0, 0), again.end
    words = ["tests/hosts", "-q", "-p", "no:cacheprovider", *LAB]
    verified = hosts.type(sys.executable, "-m", "pytest", *words, **password)
    assert verified.status == 0, verified.end
    for step in (*steps, again, verified):
        assert PASSWORD not in step.output
