"""First contact with hosts that exist: the report, and a refusal with its remedy for everything that is wrong."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nexus.error import OperatorError
from nexus.provider.ssh.host_key import HostKey
from nexus.provider.ssh.look import SCRIPT, facts
from nexus.transport import sudo
from runbooks.contact import FINGERPRINTS, terminal
from runbooks.environment import __main__ as command
from tests.plan.bare_project import FREE, Bare, bare_, place_  # noqa: F401 - fixtures
from tests.plan.bastion import Bastion, configuration
from tests.plan.project_copy import Project

pytestmark = pytest.mark.skipif(not shutil.which("ssh"), reason="OpenSSH's client is not installed")
LARGE = "sizes=128x512"  # the services fit at their full size
CONFIG = "Host box1.test\n  HostName 127.0.0.1\n  Port {port}\n  User ops\n{more}"


@pytest.fixture(autouse=True)
def _own_password(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No answer of an earlier test is kept."""
    monkeypatch.delenv(sudo.VARIABLE, raising=False)
    monkeypatch.delenv(FINGERPRINTS, raising=False)
    sudo._password.cache_clear()
    yield
    sudo._password.cache_clear()


def key_of(host: Bare) -> HostKey:
    return HostKey(f"[127.0.0.1]:{host.port}", host.key.get_name(), host.key.get_base64())


def environment(place: Path, host: Bare, *, more: str = "", port: int = 0, pinned: bool = True) -> None:
    """Write the environment `example` with this one host, as the command does."""
    text = CONFIG.format(port=port or host.port, more=more)
    configuration(place / "ssh/config", key=place / "key", known=place / "ssh/known", text=text)
    words = ["hosts=box1=box1.test/10.0.0.1", LARGE, f"ssh_config={place}/ssh/config", f"ssh_key={place}/key"]
    assert command.main(["example", "provider=ssh", "domain=nexus.example.org", *words]) == 0
    if pinned:
        (place / "inventory/example.known_hosts").write_text(key_of(host).line)


@pytest.fixture
def ready(place: Path, bare: Bare) -> Bare:
    environment(place, bare)
    return bare


def report(capsys: pytest.CaptureFixture[str]) -> str:
    """The report of hosts that are all ready."""
    capsys.readouterr()
    terminal.contact("example")
    return capsys.readouterr().out


def refusal(capsys: pytest.CaptureFixture[str], count: int = 1) -> str:
    """The reasons of a refusal."""
    capsys.readouterr()
    with pytest.raises(OperatorError, match=f"^{count} reasons? why example cannot be deployed.*Nothing was changed"):
        terminal.contact("example")
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if "refused: " in line]
    assert len(lines) == count, lines
    return "\n".join(lines)


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


SUDO = {
    "missing": ("sh: 1: sudo: not found", "has no sudo: as root, apt-get install sudo && adduser ops sudo"),
    "password": ("password", "has a sudo that asks ops for a password: set sudo_asks_password = True in group_data"),
    "terminal": ("sudo: sorry, you must have a tty to run sudo", "remove requiretty from /etc/sudoers"),
    "not allowed": ("ops is not allowed to execute that", "does not let ops use sudo (ops is not allowed"),
}


@pytest.mark.parametrize("case", SUDO)
def test_sudo_is_refused(case: str, ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    ready.sudo, words = SUDO[case]
    assert words in refusal(capsys)


def asking(place: Path, host: Bare, mode: str = "password") -> None:
    host.sudo = mode
    with (place / "group_data/example.py").open("a") as stream:
        stream.write("sudo_asks_password = True\n")


def test_sudo_with_a_password(place: Path, ready: Bare, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asking(place, ready)
    monkeypatch.setenv(sudo.VARIABLE, ready.secret)
    said = report(capsys)
    assert "sudo with a password" in said
    assert ready.secret not in said + "".join(ready.commands)
    assert ready.sent == [f"{ready.secret}\n".encode()] * 2


def test_the_password_is_asked_for_once(place: Path, ready: Bare, monkeypatch: Any, capsys: Any) -> None:
    asking(place, ready)
    answers = iter([ready.secret])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    report(capsys)
    report(capsys)


def test_no_terminal_for_the_password(place: Path, ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    asking(place, ready)
    assert "no terminal to ask for it: set NEXUS_SUDO_PASSWORD" in refusal(capsys)


def test_a_wrong_password(place: Path, ready: Bare, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asking(place, ready)
    monkeypatch.setenv(sudo.VARIABLE, "wrong")
    assert "has another sudo password for ops (Sorry, try again." in refusal(capsys)
    assert ready.sent == [b"wrong\n"]


def test_a_user_outside_of_sudoers(place: Path, ready: Bare, monkeypatch: Any, capsys: Any) -> None:
    asking(place, ready, "refused")
    monkeypatch.setenv(sudo.VARIABLE, ready.secret)
    assert "does not let ops use sudo (ops is not in the sudoers file.): as root, adduser ops sudo" in refusal(capsys)


# Host keys


def test_an_unknown_key_is_not_accepted(place: Path, bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    environment(place, bare, pinned=False)
    said = refusal(capsys)
    assert f"host key {bare.key.get_name()} {key_of(bare).fingerprint}, which nobody confirmed" in said
    assert f"NEXUS_FINGERPRINTS={key_of(bare).fingerprint}" in said
    assert not (place / "inventory/example.known_hosts").exists()
    assert bare.commands == []


def test_the_operator_confirms_a_key(place: Path, bare: Bare, monkeypatch: Any, capsys: Any) -> None:
    environment(place, bare, pinned=False)
    asked: list[str] = []

    def confirm(host: str, words: str) -> bool:
        asked.append(f"{host} {words}")
        return True

    monkeypatch.setattr(terminal, "confirmation", lambda: confirm)
    assert "host key written, you confirmed it" in report(capsys)
    assert (place / "inventory/example.known_hosts").read_text() == key_of(bare).line
    assert "host key written" not in report(capsys)
    assert asked == [f"box1 {bare.key.get_name()} {key_of(bare).fingerprint}"]


@pytest.mark.parametrize("answer", ["yes", "fingerprint", "no", ""])
def test_the_answer_about_a_key(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "SHA256:abc" if answer == "fingerprint" else answer)
    ask = terminal.confirmation()
    assert ask
    assert ask("box1", "ssh-ed25519 SHA256:abc") is (answer in ("yes", "fingerprint"))


def test_a_fingerprint_that_was_given(place: Path, bare: Bare, monkeypatch: Any, capsys: Any) -> None:
    environment(place, bare, pinned=False)
    monkeypatch.setenv(FINGERPRINTS, f"SHA256:other, {key_of(bare).fingerprint}")
    assert "host key written, its fingerprint was given" in report(capsys)


def test_a_key_that_the_operator_knows(place: Path, bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    environment(place, bare, pinned=False)
    (place / "ssh/known").write_text(key_of(bare).line)
    assert "host key written, your known_hosts has it" in report(capsys)


def test_another_key_than_before(place: Path, bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    environment(place, bare)
    path = place / "inventory/example.known_hosts"
    path.write_text(f"[127.0.0.1]:{bare.port} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ\n")
    import paramiko

    other = paramiko.ECDSAKey.generate()
    path.write_text(HostKey(f"[127.0.0.1]:{bare.port}", other.get_name(), other.get_base64()).line)
    before = path.read_text()
    assert f"ssh-keygen -R '[127.0.0.1]:{bare.port}' -f " in refusal(capsys)
    assert path.read_text() == before
    assert bare.commands == []


# The way in


def test_nothing_listens(place: Path, bare: Bare, dead_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    environment(place, bare, port=dead_port)
    assert f"nothing answers on port {dead_port} of 127.0.0.1: start sshd there" in refusal(capsys)


def test_an_unknown_name(place: Path, bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    environment(place, bare)
    config = place / "ssh/config"
    config.write_text(config.read_text().replace("127.0.0.1", "nowhere.invalid"))
    assert "the name nowhere.invalid is not known" in refusal(capsys)


def test_a_host_that_is_silent(place: Path, bare: Bare, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr("runbooks.contact.SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        environment(place, bare, port=server.getsockname()[1])
        assert "127.0.0.1 does not answer (" in refusal(capsys)


def test_a_key_that_is_refused(place: Path, ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    import paramiko

    ready.user_key = paramiko.ECDSAKey.generate()
    assert "refuses ops with " in (said := refusal(capsys))
    assert "add the public key to ~ops/.ssh/authorized_keys there" in said


def test_a_key_that_is_missing(place: Path, ready: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "key").unlink()
    assert f"has no usable key {place}/key here" in refusal(capsys)


def test_a_shell_that_runs_nothing(ready: Bare, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(ready, "answer", lambda: "This account is currently not available.\n")
    assert "logged in, but its shell ran no command" in refusal(capsys)


@pytest.fixture
def bastion(bare: Bare) -> Iterator[Bastion]:
    found = Bastion(bare.user_key)
    yield found
    found.close()


def behind(place: Path, bare: Bare, bastion: Bastion, known: bool = True) -> None:
    jump = f"  ProxyJump ops@jump\nHost jump\n  HostName 127.0.0.1\n  Port {bastion.port}\n  HostKeyAlias jump\n"
    environment(place, bare, more=jump)
    line = f"jump {bastion.key.get_name()} {bastion.key.get_base64()}\n"
    (place / "ssh/known").write_text(line if known else "")


def test_a_host_behind_a_bastion(place: Path, bare: Bare, bastion: Bastion, capsys: Any) -> None:
    behind(place, bare, bastion)
    assert f"ops at 127.0.0.1:{bare.port} through ops@jump" in report(capsys)
    assert set(bastion.asked) == {("127.0.0.1", bare.port)}


def test_a_bastion_that_is_gone(place: Path, bare: Bare, bastion: Bastion, capsys: Any) -> None:
    behind(place, bare, bastion)
    bastion.close()
    assert "cannot be reached: no connection through ops@jump: " in (said := refusal(capsys))
    assert "Connection refused" in said
    assert "check ProxyJump or ProxyCommand" in said


def test_a_bastion_whose_key_is_unknown(place: Path, bare: Bare, bastion: Bastion, capsys: Any) -> None:
    behind(place, bare, bastion, known=False)
    assert "connect once with `ssh ops@jump` and confirm the key of the jump host" in refusal(capsys)


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


# An environment that is made from what its hosts say


def made_by_asking(place: Path, host: Bare, *words: str) -> int:
    text = CONFIG.format(port=host.port, more="")
    configuration(place / "ssh/config", key=place / "key", known=place / "ssh/known", text=text)
    given = ["hosts=box1.test/10.0.0.1", f"ssh_config={place}/ssh/config", f"ssh_key={place}/key"]
    return command.main(["example", "provider=ssh", "domain=nexus.example.org", *given, *words])


def test_hosts_say_their_names_and_sizes(place: Path, bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    bare.name, bare.said = "pear", {"memory": f"MemTotal: {64 * 1024**2} kB"}
    assert made_by_asking(place, bare, f"fingerprints={key_of(bare).fingerprint}") == 0
    assert (
        f'_host("pear", "10.0.0.1", "box1.test", ssh_port={bare.port})' in (place / "inventory/example.py").read_text()
    )
    settings = (place / "group_data/example.py").read_text()
    assert "service_memory_scale = " in settings
    assert "sudo_asks_password" not in settings
    assert (place / "inventory/example.known_hosts").read_text() == key_of(bare).line
    report(capsys)


def test_a_password_for_sudo_becomes_a_setting(place: Path, bare: Bare, monkeypatch: Any, capsys: Any) -> None:
    bare.sudo = "password"
    monkeypatch.setenv(sudo.VARIABLE, bare.secret)
    assert made_by_asking(place, bare, f"fingerprints={key_of(bare).fingerprint}") == 0
    settings = (place / "group_data/example.py").read_text()
    assert "sudo_asks_password = True  # on box1; NEXUS_SUDO_PASSWORD has it where no terminal is" in settings
    assert bare.secret not in settings
    assert "sudo with a password" in report(capsys)


def test_a_host_that_says_nothing_is_not_guessed(place: Path, bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    assert made_by_asking(place, bare) == 1
    captured = capsys.readouterr()
    assert "which nobody confirmed" in captured.out
    assert "box1.test did not say what it has, see above: fix that, or state SIZES" in captured.err
    assert not list(place.glob("*/example*"))


@pytest.mark.parametrize("words", [["-y"], ["--dry"]])
def test_provision_looks_at_hosts_that_exist(words: list[str], project: Project) -> None:
    """These hosts accept logins and execute nothing."""
    project.edit("group_data/lab.py", 'provider = "lab"', 'provider = "ssh"')
    outcome = project.run("@local", "deploys/provision.py", *words)
    assert outcome.status == 1, outcome.text
    assert "Traceback" not in outcome.text
    assert outcome.text.count("refused: ") == 8, outcome.text
    assert "8 reasons why lab cannot be deployed yet, see above. Nothing was changed on any host." in outcome.text
