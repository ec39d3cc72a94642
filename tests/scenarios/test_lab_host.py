"""The lab's own promises, on two hosts of a tiny environment next to any other that is up: login, reboot,
idempotence, recovery after an interruption, and no leftovers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nexus.provider import lab
from nexus.provider.lab import base, defaults
from nexus.provider.lab.environment import PROJECT, LabEnvironment
from nexus.provider.lab.host import SYSTEMD_OUTSIDE, Host
from nexus.provider.lab.machine import mounts_below, processes, remove_tree, wait_until
from nexus.provider.lab.status import table

REASON = lab.reason_lab_cannot_run()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no lab on this machine: {REASON}")

INVENTORY = 'ops = [("tiny1", {"address": "10.213.0.61"}), ("tiny2", {"address": "10.213.0.62"})]\n'


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inventory") / "tiny.py"
    path.write_text(INVENTORY)
    (path.parent / "group_data").mkdir()
    (path.parent / "group_data/tiny.py").write_text('provider = "lab"\n')
    return path


@pytest.fixture(scope="module")
def tiny(inventory: Path) -> Iterator[LabEnvironment]:
    environment = lab.load(str(inventory))
    lab.down(environment, force=True)
    lab.up(environment)
    yield environment
    lab.down(environment, force=True)


@pytest.fixture
def hosts(tiny: LabEnvironment) -> list[Host]:
    lab.up(tiny)
    return [Host(tiny, host) for host in tiny.hosts]


def ssh(environment: LabEnvironment, host: str, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    config = ("-F", str(environment.access / "ssh_config"), "-o", "BatchMode=yes", "-o", "ConnectTimeout=3")
    words = ["ssh", *config, *options, host, command]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def boot_id(environment: LabEnvironment, host: str) -> str:
    return ssh(environment, host, "cat /proc/sys/kernel/random/boot_id").stdout.strip()


def pids(hosts: list[Host]) -> list[object]:
    return [host.running() for host in hosts]


def all_answer(environment: LabEnvironment) -> bool:
    return all(ssh(environment, host.name, "true").returncode == 0 for host in environment.hosts)


def test_hosts_run_and_admit_only_the_deploy_user(tiny: LabEnvironment, hosts: list[Host]) -> None:
    for host in hosts:
        told = ssh(tiny, host.name, "hostname; id -un; sudo -n id -un; systemctl is-system-running")
        assert told.stdout.split() == [host.name, "deploy", "root", "running"], told.stderr
        assert ssh(tiny, host.name, "true", "-l", "root").returncode == 255
    mtu = ssh(tiny, "tiny1", "cat /sys/class/net/host0/mtu").stdout.strip()
    assert mtu == Path("/sys/class/net", defaults.BRIDGE, "mtu").read_text().strip()
    assert mtu == Path("/sys/class/net", hosts[0].interface, "mtu").read_text().strip()


def test_a_host_with_another_key_is_not_trusted(tiny: LabEnvironment, hosts: list[Host], tmp_path: Path) -> None:
    lines = (tiny.access / "known_hosts").read_text().splitlines()
    keys = [line.split(maxsplit=1)[1] for line in lines]
    swapped = tmp_path / "known_hosts"
    swapped.write_text(f"10.213.0.61 {keys[1]}\n10.213.0.62 {keys[0]}\n")
    refused = ssh(tiny, "tiny1", "true", "-o", f"UserKnownHostsFile={swapped}", "-o", "GlobalKnownHostsFile=none")
    assert refused.returncode == 255
    assert "verification failed" in refused.stderr


def test_hosts_reach_packages_and_each_other(tiny: LabEnvironment, hosts: list[Host]) -> None:
    assert ssh(tiny, "tiny1", "sudo apt-get -qq -o APT::Update::Error-Mode=any update").returncode == 0
    probe = "import socket; print(socket.create_connection(('10.213.0.62', 22), 5).recv(4).decode())"
    assert ssh(tiny, "tiny1", f'python3 -c "{probe}"').stdout.strip() == "SSH-"


def test_second_up_changes_nothing(tiny: LabEnvironment, hosts: list[Host]) -> None:
    before = pids(hosts), {path: path.stat().st_mtime_ns for path in tiny.access.iterdir()}
    assert lab.up(tiny) is False
    assert before == (pids(hosts), {path: path.stat().st_mtime_ns for path in tiny.access.iterdir()})


def test_a_rebooted_host_comes_back(tiny: LabEnvironment, hosts: list[Host]) -> None:
    before = boot_id(tiny, "tiny1")
    assert before
    ssh(tiny, "tiny1", "sudo systemctl reboot")
    assert wait_until(lambda: boot_id(tiny, "tiny1") not in ("", before), 60, pause=0.3)
    assert wait_until(lambda: hosts[0].system_state() == "running", 30, pause=0.3)


def test_single_hosts_are_switched_off_and_on(tiny: LabEnvironment, inventory: Path, hosts: list[Host]) -> None:
    neighbour = hosts[1].running()
    for command in ("poweroff", "kill"):
        subprocess.run([*CLI, command, "tiny1", "--environment", str(inventory)], cwd=PROJECT, check=True)
        assert hosts[0].running() is None
        assert "off" in next(line for line in table(tiny).splitlines() if line.startswith("tiny1"))
        subprocess.run([*CLI, "start", "tiny1", "--environment", str(inventory)], cwd=PROJECT, check=True)
        assert wait_until(lambda: hosts[0].system_state() == "running", 60, pause=0.3)
    assert hosts[1].running() == neighbour


def test_files_survive_a_power_cut_of_the_host(tiny: LabEnvironment, hosts: list[Host]) -> None:
    ssh(tiny, "tiny1", "echo kept > ~/kept; sudo touch /var/lib/docker/kept; sync")
    hosts[0].kill()
    assert lab.up(tiny) is True
    assert ssh(tiny, "tiny1", "cat ~/kept; sudo ls /var/lib/docker").stdout.split() == ["kept", "kept"]


@pytest.mark.skipif(SYSTEMD_OUTSIDE.exists(), reason="systemd itself keeps the hosts here")
def test_a_host_whose_keeper_died_gets_a_new_one(tiny: LabEnvironment, hosts: list[Host]) -> None:
    alive = hosts[0].running()
    assert alive is not None
    assert alive.keeper is not None
    os.kill(alive.keeper, signal.SIGKILL)
    assert wait_until(lambda: not (now := hosts[0].running()) or not now.keeper, 10)
    assert lab.up(tiny) is True
    again = hosts[0].running()
    assert again is not None
    assert again.whole
    assert all_answer(tiny)


def test_a_detached_interface_is_attached_again(tiny: LabEnvironment, hosts: list[Host]) -> None:
    subprocess.run(["ip", "link", "set", hosts[0].interface, "nomaster"], check=True)
    assert not hosts[0].answers()
    assert lab.up(tiny) is True
    assert all_answer(tiny)


CLI = [sys.executable, "-m", "nexus.provider.lab"]
POINTS: dict[str, Callable[[LabEnvironment], bool]] = {
    "owner known": lambda tiny: (tiny.directory / "owner.json").exists(),
    "first root half made": lambda tiny: (tiny.directory / "tiny1/upper/etc").exists(),
    "second root half made": lambda tiny: (tiny.directory / "tiny2/upper/etc").exists(),
    "first host mounted": lambda tiny: bool(mounts_below(tiny.directory / "tiny1")),
    "first host boots": lambda tiny: Host(tiny, tiny.host("tiny1")).running() is not None,
    "first host answers": lambda tiny: Host(tiny, tiny.host("tiny1")).answers(0.2),
}


@pytest.mark.parametrize("point", POINTS)
def test_an_interrupted_up_is_finished_by_the_next(tiny: LabEnvironment, inventory: Path, point: str) -> None:
    lab.down(tiny)
    running = subprocess.Popen([*CLI, "up", str(inventory)], cwd=PROJECT, stdout=subprocess.DEVNULL)
    reached = wait_until(lambda: POINTS[point](tiny) or running.poll() is not None, 60, pause=0.001)
    running.kill()
    running.wait()
    assert reached
    assert running.returncode in (-signal.SIGKILL, 0)
    lab.up(tiny)
    assert all_answer(tiny)
    assert lab.up(tiny) is False


def test_an_interrupted_base_system_is_cleaned_up(tiny: LabEnvironment) -> None:
    directory = tiny.machine_directory / "test-of-base"
    make = (
        "import sys; from pathlib import Path; from nexus.provider import lab; from nexus.provider.lab import base;"
        "base.ensure(Path(sys.argv[1]), lab.load(sys.argv[2]).settings)"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", make, str(directory), "lab"], cwd=PROJECT, stdout=subprocess.DEVNULL
    )
    try:
        assert wait_until(lambda: any(directory.glob("base/*.partial/usr/bin")), 60)
        running.kill()
        running.wait()
        base.clean(directory)
        assert not any((directory / "base").iterdir())
        assert not [p for p in processes() if any(str(directory) in word for word in p.command)]
        assert not mounts_below(directory)
    finally:
        running.kill()
        base.clean(directory)
        remove_tree(directory)


def test_another_checkout_is_refused_until_the_hosts_are_gone(
    tiny: LabEnvironment, inventory: Path, hosts: list[Host], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(PROJECT / "nexus", other / "nexus", ignore=shutil.ignore_patterns("__pycache__"))

    def up_there() -> subprocess.CompletedProcess[str]:
        words = [*CLI, "up", str(inventory)]
        return subprocess.run(words, cwd=other, capture_output=True, text=True, timeout=120, check=False)

    before = pids(hosts)
    refused = up_there()
    assert refused.returncode == 1
    assert str(PROJECT) in refused.stderr
    assert "lab-down" in refused.stderr
    assert pids(hosts) == before

    for host in hosts:  # as after a reboot of the machine: no processes, but mounts and files
        host.kill()
    assert mounts_below(tiny.directory)
    taken = up_there()
    assert taken.returncode == 0, taken.stderr
    with pytest.raises(lab.LabError, match=str(other)):
        lab.up(tiny)

    shutil.rmtree(other / ".lab")  # the key to these hosts is lost
    lab.up(tiny)
    assert all_answer(tiny)


def test_taken_addresses_are_refused(tiny: LabEnvironment, hosts: list[Host], tmp_path: Path) -> None:
    clash = tmp_path / "clash.py"
    clash.write_text('ops = [("other1", {"address": "10.213.0.62"})]\n')
    with pytest.raises(lab.LabError, match=r"other1 of clash needs 10\.213\.0\.62.*tiny2"):
        lab.up(lab.load(str(clash)))
    assert not (tiny.machine_directory / "environments/clash").exists()


def test_a_host_that_left_the_inventory_is_removed(tiny: LabEnvironment, hosts: list[Host]) -> None:
    smaller = LabEnvironment(tiny.name, tiny.hosts[:1], tiny.settings)
    assert lab.up(smaller) is True
    assert not hosts[1].directory.exists()
    assert hosts[1].running() is None


def test_down_leaves_nothing(tiny: LabEnvironment, hosts: list[Host]) -> None:
    lab.down(tiny)
    place = str(tiny.directory)
    assert not tiny.directory.exists()
    assert not mounts_below(tiny.directory)
    assert not [p.command for p in processes() if any(place in word for word in p.command)]
    assert not [host.interface for host in hosts if Path("/sys/class/net", host.interface).exists()]
    assert not tiny.access.exists()
    parent = tiny.directory.parent
    if not parent.exists():  # it was the last environment of this machine
        rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
        assert defaults.NFT_TABLE not in rules
        assert not Path("/sys/class/net", defaults.BRIDGE).exists()
