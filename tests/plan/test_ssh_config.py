"""The operator's own ssh configuration: valid options work, invalid ones are named with file and line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from nexus.error import OperatorError
from nexus.transport import ssh_config
from nexus.transport.ssh_config import Target, target
from tests.plan.project_copy import Project, refused

pytestmark = pytest.mark.skipif(not shutil.which("ssh"), reason="OpenSSH's client is not installed")
FINE = b"""Include nothing-is-there/*.conf
Host *
  ProxyJump none
  ProxyCommand none
  IdentityAgent none
  ServerAliveInterval 1m
  ForwardAgent /nothing/is/there
Match final all
  SendEnv LC_*
"""


def write(project: Project, text: bytes, own: bool = False) -> dict[str, str]:
    """The operator's configuration in a separate home; with `own`, hosts are reached through it."""
    file = project.root / "home/.ssh/config"
    file.parent.mkdir(parents=True)
    file.write_bytes(text)
    file.chmod(0o600)
    if own:
        for members in project.groups.values():
            for member in members:
                member[1].pop("ssh_config_file", None) if isinstance(member, tuple) else None
        project.write_inventory()
    return {"HOME": str(project.root / "home")}


@pytest.mark.parametrize("own", [True, False])
def test_valid_ssh_configuration(project: Project, own: bool) -> None:
    outcome = project.deploy(env=write(project, FINE, own))
    assert outcome.text.count("Connected") == project.hosts.connections == 8, outcome.text
    assert "Traceback" not in outcome.text


def test_the_lab_reads_no_other_configuration(project: Project) -> None:
    outcome = project.deploy(env=write(project, b"\xff\xfe\nWhat is this\nProxyJump nowhere.invalid\n"))
    assert outcome.text.count("Connected") == project.hosts.connections == 8, outcome.text


WRONG = {
    "unknown option": (b"Host *\n  Colour blue\n", "line 2: Bad configuration option: colour"),
    "no value": (b"\n\nHost *\n  Port\n", "line 4:"),
    "invalid time": (b"ServerAliveInterval soon\n", "line 1: invalid time value"),
    "open quotes": (b'User "me\n', "line 1"),
    "bytes that are not text": (b"Host *\n\xff\xfe\xfd x\n", "line 2: Bad configuration option"),
    "unknown token": (b"Host *\n ProxyCommand nc %z %p\n", "%z"),
}


@pytest.mark.parametrize("case", WRONG)
def test_invalid_ssh_configuration(project: Project, case: str) -> None:
    text, said = WRONG[case]
    refused(project, project.deploy(env=write(project, text, own=True)), "ssh's configuration: ", said)


def test_a_missing_file(project: Project) -> None:
    project.append("group_data/all.py", "ssh_config_file = 'nowhere'\n")
    write(project, b"", own=True)
    refused(project, project.deploy(), 'ssh_config_file = "nowhere" does not exist')


def test_no_client_to_read_it(project: Project, tmp_path: Path) -> None:
    env = {**write(project, b"User x\n", own=True), "PATH": str(tmp_path / "empty")}
    refused(project, project.deploy(env=env), "apt-get install openssh-client", 'ssh_config_file = "none"')


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config"


def test_all_that_a_host_has(config: Path, tmp_path: Path) -> None:
    for name in ("key-app1.test", "known"):
        (tmp_path / name).write_text("")
    config.write_text(
        f"Host app1\n HostName %h.test\n Port 2201\n User ops\n IdentityFile {tmp_path}/key-%h\n"
        f" IdentityFile {tmp_path}/nowhere\n IdentitiesOnly yes\n UserKnownHostsFile {tmp_path}/new {tmp_path}/known\n"
        " HostKeyAlias other\n StrictHostKeyChecking yes\n ProxyJump a,b:22\n"
    )
    found = target("app1", str(config))
    assert (found.hostname, found.port, found.user, found.alias) == ("app1.test", 2201, "ops", "other")
    assert found.keys == (f"{tmp_path}/key-app1.test",)
    assert found.known_hosts[:2] == (f"{tmp_path}/new", f"{tmp_path}/known")
    assert found.strict
    assert found.only_these_keys
    assert found.jumps == ("a", "b:22")
    assert found.options == ("-F", str(config))


def test_jump_hosts_with_tokens(config: Path) -> None:
    config.write_text("Host app1\n HostName %h.test\n ProxyJump %r@b-%n:22,c-%h\n")
    assert target("app1", str(config), user="me", port=22).jumps == ("me@b-app1:22", "c-app1.test")


def test_a_socket_that_only_ssh_can_take(config: Path) -> None:
    config.write_text("ProxyCommand nc -F %h %p\nProxyUseFdpass yes\n")
    with pytest.raises(OperatorError, match="app1 has ProxyUseFdpass"):
        target("app1", str(config))


def test_the_inventory_comes_first(config: Path) -> None:
    config.write_text("Host app1\n Port 2201\n User ops\n ProxyCommand way %h %p %r\nMatch user deploy\n HostName x\n")
    found = target("app1", str(config), user="deploy", port=22)
    assert (found.user, found.port, found.command) == ("deploy", 22, "way x 22 deploy")


def test_nothing_is_asked_where_no_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", None)
    assert target("app1", "none", "deploy", 22) == Target("app1", 22, "deploy", "app1")


def test_default_keys_are_not_used_unless_allowed(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Default keys are tried only where the inventory allows it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/id_ed25519").write_text("")
    config.write_text("User x\n")
    assert target("app1", str(config)).keys == ()
    config.with_name("other").write_text("IdentityFile ~/.ssh/id_ed25519\n")
    assert target("app1", str(config.with_name("other"))).keys == (f"{tmp_path}/.ssh/id_ed25519",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(config: Path) -> None:
    config.write_text("User x\n")
    config.chmod(0)
    with pytest.raises(OperatorError, match="cannot be read"):
        target("app1", str(config))


def test_no_token_is_left_unknown() -> None:
    assert ssh_config.expanded("%%h %h", {"%": "%", "h": "x"}, home=False) == "%h x"
    with pytest.raises(OperatorError, match="%z"):
        ssh_config.expanded("%z", {"h": "x"})
