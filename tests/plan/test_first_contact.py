"""First contact with hosts that exist: the report, and a refusal with its remedy for everything that is wrong."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nexus.provider.ssh.look import SCRIPT, facts
from runbooks.contact import FINGERPRINTS
from runbooks.environment import __main__ as command
from tests.plan.bare_project import FREE, Bare, bare_, place_  # noqa: F401 - fixtures
from tests.plan.bastion import configuration
from tests.plan.contact_environment import LARGE, key_of, own_password_, ready_, refusal, report  # noqa: F401 - fixtures
from tests.plan.project_copy import Project

pytestmark = pytest.mark.skipif(not shutil.which("ssh"), reason="OpenSSH's client is not installed")


def test_a_host_that_is_ready(ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    said = report(capsys)
    for words in (
        f"box1: ops at 127.0.0.1:{ready.port}", "sudo without a password", "Debian GNU/Linux 13 (trixie), x86_64",
        "128 cores, 512 GiB of memory, 30 GiB free, MTU 1500", "Python 3.13", "clock +0 s", "new", "; ready",
    ):  # fmt: skip
        assert words in said, said


def test_nothing_is_changed_there(ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    report(capsys)
    sudo_asked, looked = ready.commands
    assert sudo_asked == "LC_ALL=C sudo -k -n true"
    assert looked.startswith("LC_ALL=C sudo -n sh -c '")


def test_the_script_runs_in_any_shell() -> None:
    done = subprocess.run(["sh", "-c", SCRIPT], capture_output=True, text=True, check=False)
    found = facts(done.stdout)
    assert found.cpus > 0
    assert found.memory_bytes > 1 << 28
    assert found.python >= (3, 9)
    assert found.clock > 1.7e9
    assert found.mtu >= 0
    assert found.name


def test_facts_of_a_silent_host() -> None:
    found = facts("")
    assert (found.python, found.free_bytes, found.mtu, found.listening) == ((), None, 0, {})


SECTIONS = {
    "Ubuntu": ({"system": 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu"'}, "box1 runs Ubuntu, and only Deb"),
    "Debian 12": ({"system": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"'}, "runs Debian 12, and only Deb"),
    "architecture": ({"machine": "aarch64\n128\nbox1\nsystemd\nx"}, "has the architecture aarch64, and only x86_64"),
    "init": ({"machine": "x86_64\n128\nbox1\nrunit\nx"}, "was started by runit, not by systemd: apt-get "),
    "no Python": ({"python": ""}, "has no python3: apt-get install python3"),
    "old Python": ({"python": "3.9"}, "has Python 3.9, and 3.11 is needed"),
    "kernel": ({"modules": "overlay yes\nvxlan no"}, "a kernel without vxlan, which containers and the firewall need"),
    "disk": (
        {"disk": f"head\n{FREE.format(free=1024**2)}"},
        "has 1.0 GiB free below /var, and 2.0 are needed: free space",
    ),
    "inodes": ({"inodes": f"head\n{FREE.format(free=70)}"}, "has 70 inodes free below /var, and 100000 are needed"),
    "clock": ({"clock": "1000000000"}, "the clock of box1 is"),
    "MTU": ({"mtu": "ens3 1280"}, "has an MTU of 1280 on its uplink, and 1330 is needed"),
    "name": ({"machine": "x86_64\n128\ndebian\nsystemd\nx"}, "calls itself debian, and nodes and log lines"),
    "address": ({"addresses": "inet 10.9.9.9/24"}, "does not have the address 10.0.0.1"),
    "port": (
        {"tcp": "0: 00000000:01BB 0:0 0A", "owners": 'tcp LISTEN 0 5 *:443 *:* users:(("apache2",pid=7,fd=4))'},
        "has apache2 on tcp port 443, which nginx needs: stop and disable it",
    ),
    "network": (
        {"routes": "head\nens4 0000DC0A 0 1 0 0 0 0000FFFF 0 0 0"},
        "has a route to 10.220.0.0/16, and service_network is 10.220.0.0/20",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SECTIONS)
def test_a_host_is_refused(case: str, ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    ready.said, words = SECTIONS[case]
    assert words in refusal(capsys)


def test_too_little_memory(ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    """The capacity report and the system's own share."""
    ready.said = {"memory": "MemTotal: 524288 kB"}
    said = refusal(capsys, 2)
    assert "has 0.5 GiB of memory, and the system alone is given 1: take a larger host" in said
    assert "refused: error: box1: memory: " in said


def test_ports_of_the_platform_itself(ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    ready.said = {**SECTIONS["port"][0], "manifest": "nginx.json", "disk": SECTIONS["disk"][0]["disk"]}
    assert "has been deployed to" in report(capsys)


def test_all_reasons_at_once(ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    for case in ("port", "MTU", "clock"):
        ready.said |= SECTIONS[case][0]
    refusal(capsys, 3)


def test_copies_of_one_machine(place: Path, bare: Bare, monkeypatch: Any, capsys: Any) -> None:
    other = Bare(bare.user_key, "data1")
    bare.name = "edge1"
    host = "Host {0}.test\n  HostName 127.0.0.1\n  HostKeyAlias {0}\n  Port {1}\n  User ops\n"
    text = host.format("edge1", bare.port) + host.format("data1", other.port)
    configuration(place / "ssh/config", key=place / "key", known=place / "ssh/known", text=text)
    words = ["hosts=edge1=edge1.test/10.0.0.1,data1=data1.test/127.0.0.1", LARGE, f"ssh_config={place}/ssh/config"]
    assert command.main(["example", "provider=ssh", "domain=nexus.example.org", f"ssh_key={place}/key", *words]) == 0
    monkeypatch.setenv(FINGERPRINTS, f"{key_of(bare).fingerprint},{key_of(other).fingerprint}")
    report(capsys)
    bare.said = other.said = {"machine": "x86_64\n128\n{name}\nsystemd\nsame"}
    assert "edge1, data1 have the same /etc/machine-id" in refusal(capsys)
    other.close()


@pytest.mark.parametrize("words", [["-y"], ["--dry"]])
def test_provision_looks_at_hosts_that_exist(words: list[str], project: Project) -> None:
    """These hosts accept logins and execute nothing."""
    project.edit("group_data/lab.py", 'provider = "lab"', 'provider = "ssh"')
    outcome = project.run("@local", "deploys/provision.py", *words)
    assert outcome.status == 1, outcome.text
    assert "Traceback" not in outcome.text
    assert outcome.text.count("refused: ") == 8, outcome.text
    assert "8 reasons why lab cannot be deployed yet, see above. Nothing was changed on any host." in outcome.text
