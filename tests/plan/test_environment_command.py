"""`make environment`: the files that it writes, what it refuses, and their removal."""

from __future__ import annotations

import runpy
import shlex
from pathlib import Path
from typing import Any

import pytest

from nexus import project
from nexus.cli.command import NO_SECRETS
from nexus.environment import inventory
from nexus.error import OperatorError
from roles.table import ROLES
from runbooks.environment import __main__ as command
from runbooks.environment import files, fit, layout, wanted
from runbooks.environment.create import named, reachable, stated, texts
from tests.plan.bare_project import ROOT, place_  # noqa: F401 - a fixture

HOSTS = "192.0.2.11,192.0.2.21,192.0.2.31,192.0.2.41"
SSH = {"provider": "ssh", "domain": "nexus.example.org", "hosts": HOSTS, "sizes": "16x64"}
AS_WORDS = [f"{key}={value}" for key, value in SSH.items()]


def made(name: str = "example", **words: str) -> dict[str, str]:
    found = named(reachable(wanted.read(name, {**SSH, **words}, None, project.root() / "group_data/keys")))
    return {path.parts[0]: text for path, text in texts(found, stated(found)).items()}


def groups(text: str, tmp_path: Path) -> dict[str, list[Any]]:
    (tmp_path / "read.py").write_text(text)
    found = runpy.run_path(str(tmp_path / "read.py"))
    return {
        name: [member if isinstance(member, str) else member[0] for member in value]
        for name, value in found.items()
        if isinstance(value, list)
    }


@pytest.mark.parametrize("name", ["staging", "production"])
def test_examples_are_what_the_command_writes(name: str, place: Path) -> None:
    text = (ROOT / f"inventory/{name}.py").read_text()
    line = text[text.index("make environment") : text.index("\n\nThese hosts")].replace(" \\\n", " ")
    words = dict(word.split("=", 1) for word in shlex.split(line)[2:])
    assert words.pop("NEXUS_ENV") == name
    assert made(name, **{key.lower(): value for key, value in words.items()}) == {
        "inventory": text, "group_data": (ROOT / f"group_data/{name}.py").read_text(),
    }  # fmt: skip


@pytest.mark.parametrize("count", range(1, 13))
@pytest.mark.parametrize("provider", ["ssh", "lab", "aws"])
def test_every_environment_can_be_planned(provider: str, count: int, place: Path) -> None:
    hosts = ",".join(f"192.0.2.{number}" for number in range(11, 11 + count)) if provider == "ssh" else str(count)
    found = named(reachable(wanted.read("example", {**SSH, "provider": provider, "hosts": hosts}, None, place)))
    list(files.write(texts(found, stated(found)), replace=False))
    env = inventory.load("example", NO_SECRETS)
    assert len(env.hosts) == count
    assert env.setting.provider == provider
    for store in layout.STORES:
        assert len(env.group(store)) % 2 == 1
    for name, role in ROLES.items():
        if any(env.group(group) for group in role.groups):
            ROLES.notes(name, env)


@pytest.mark.parametrize(
    ("count", "sizes"), {1: (1, 1, 1, 1), 4: (1, 1, 1, 1), 8: (1, 3, 3, 1), 12: (2, 6, 3, 1)}.items()
)
def test_groups_follow_from_the_number_of_hosts(count: int, sizes: tuple[int, ...]) -> None:
    found = layout.groups(layout.names(count), mongodb=False)
    assert tuple(len(group.hosts) for group in found[:4]) == sizes
    assert all(group.why for group in found)


def test_names_say_the_group(place: Path) -> None:
    names = ["ops1", "edge1", "app1", "app2", "data1", "data2"]
    text = made(hosts=",".join(f"{name}=192.0.2.{at}" for at, name in enumerate(names, 1)))["inventory"]
    found = groups(text, place)
    assert found["app"] == ["app1", "app2"]
    assert found["data"] == ["data1", "data2"]
    assert found["redis"] == ["data1"]
    assert "2 hosts would tolerate no more than 1" in text
    assert groups(made(hosts="pear=192.0.2.1,plum=192.0.2.2")["inventory"], place)["data"] == ["plum"]


def test_every_setting_has_its_reason(place: Path) -> None:
    lines = made()["group_data"].splitlines()[2:]
    assert len(lines) > 8
    for number, line in enumerate(lines):
        assert "  # " in line or lines[number - 1].startswith("# ") or line.startswith("# "), line


def test_replicas_are_kept_before_processors() -> None:
    from nexus.catalogue.catalogue import load
    from roles.service import capacity
    from roles.service.machine import Machine

    machines = [Machine(f"app{number}", frozenset({"app"}), 16, 64 << 30) for number in range(3)]
    found = {line.name: line.value for line in fit.sizes(load(), machines)}
    assert found.get("service_replicas_max", 0) != 1
    assert not [f for f in capacity.check(load(), found, machines).findings if "without" in f.where]


def test_hosts_that_are_too_small_are_refused(place: Path) -> None:
    with pytest.raises(OperatorError, match=r"(?s)do not fit even at the smallest size:.*memory: .*add app hosts"):
        made(sizes="2x4")


def test_user_and_port_come_from_the_ssh_configuration(place: Path, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host 192.0.2.*\n  User ops\n  Port 2222\nHost web\n  HostName 192.0.2.11\n  User ops\n")
    found = made(hosts="web,192.0.2.21,192.0.2.31,192.0.2.41", ssh_config=str(config))
    assert '_host("app1", "192.0.2.21", ssh_port=2222)' in found["inventory"]
    assert '_host("edge1", "192.0.2.11", "web")' in found["inventory"]
    assert '"ssh_user": "ops"' in found["inventory"]
    assert 'base_user = "ops"' in found["group_data"]


def test_a_sudo_that_asks_for_a_password_is_a_setting(place: Path) -> None:
    assert "sudo_asks_password = True  # on hosts; NEXUS_SUDO_PASSWORD" in made(sudo_password="yes")["group_data"]
    assert "sudo_asks_password" not in made(sudo_password="no")["group_data"]


WRONG = {
    "no provider": ({"provider": ""}, "provider is missing"),
    "unknown provider": ({"provider": "gcp"}, 'provider "gcp" is not supported; known: ssh, lab, aws'),
    "unknown argument": ({"host": "x"}, 'unknown argument "host"; did you mean "hosts"?'),
    "invalid domain": ({"domain": "nexus"}, 'domain "nexus" is not a domain'),
    "invalid size": ({"sizes": "big"}, 'size "big": write CORESxGIB'),
    "size of a store": ({"sizes": "redis=2x4"}, 'size "redis=2x4"'),
    "not all sizes": ({"sizes": "app=16x64"}, "no size for edge1: add one for edge"),
    "a name without address": ({"hosts": "edge1="}, 'host "edge1=": write NAME=ADDRESS'),
    "an invalid name": ({"hosts": "Edge_1=192.0.2.1"}, 'host "Edge_1=192.0.2.1"'),
    "an invalid address": ({"hosts": "edge1=web/10.0.0"}, '"10.0.0" is not an IP address'),
    "two hosts of one name": ({"hosts": "a1=192.0.2.1,a1=192.0.2.2"}, "two hosts are called a1"),
    "some without names": ({"hosts": "a1=192.0.2.1,192.0.2.2"}, "some hosts have names and others do not"),
    "an ssh name without address": ({"hosts": "web.invalid"}, "at which address do other hosts reach it?"),
    "no size for aws": ({"provider": "aws", "hosts": "4", "sizes": ""}, "sizes are needed for aws"),
    "too many hosts": ({"provider": "lab", "hosts": "101"}, "give a number from 1 to 100"),
    "unclear mongodb": ({"mongodb": "perhaps"}, "write yes or no"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments(case: str, place: Path) -> None:
    words, said = WRONG[case]
    with pytest.raises(OperatorError) as caught:
        made(**words)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["edge", "all", "Two", "two-words", "9", "secrets"])
def test_wrong_names(name: str, place: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be an environment"):
        made(name)


def test_a_second_call_changes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["example", *AS_WORDS]) == 0
    before = {path: path.stat().st_mtime_ns for path in place.glob("*/example.py")}
    assert len(before) == 2
    assert command.main(["example", *AS_WORDS]) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "inventory/example.py is as it would be written" in capsys.readouterr().out


def test_files_are_not_overwritten(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "group_data/example.py").write_text("domain = 'mine'\n")
    assert command.main(["example", *AS_WORDS]) == 1
    assert "group_data/example.py: exists and differs" in capsys.readouterr().err
    assert not (place / "inventory/example.py").exists()
    assert command.main(["example", *AS_WORDS, "replace=yes"]) == 0
    assert "nexus.example.org" in (place / "group_data/example.py").read_text()


def test_questions_on_a_terminal(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"Provider": "ssh", "Domain": "nexus.example.org", "Hosts": HOSTS}
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return answers[question.split()[0].rstrip(",")]

    monkeypatch.setattr(command, "ask_on_terminal", lambda: ask)
    assert command.main(["example", "sizes=16x64"]) == 0
    assert len(asked) == 3
    assert (place / "inventory/example.py").is_file()


def test_lab_hosts_get_free_addresses(place: Path) -> None:
    (place / "inventory/other.py").write_text("# 10.213.0.151\n")
    text = made(provider="lab", hosts="2")["inventory"]
    assert '_host("edge1", "10.213.0.152")' in text
    assert '_host("data1", "10.213.0.153")' in text
    assert "one_machine = " in text


def test_removal_keeps_secrets(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["example", *AS_WORDS])
    secrets = place / "group_data/secrets/example.age"
    secrets.parent.mkdir()
    secrets.write_text("sealed")
    assert command.main(["--remove", "example"]) == 1
    assert "CONFIRM=example" in capsys.readouterr().err
    assert command.main(["--remove", "example", "confirm=other"]) == 1
    assert (place / "inventory/example.py").is_file()
    assert command.main(["--remove", "example", "confirm=example"]) == 0
    assert not list(place.glob("*/example.py"))
    assert secrets.is_file()
    assert command.main(["--remove", "example", "confirm=example", "secrets=yes"]) == 0
    assert not secrets.exists()
    assert command.main(["--remove", "example", "confirm=example"]) == 1
    assert "environment example does not exist" in capsys.readouterr().err


def test_removal_waits_for_the_lab(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    command.main(["example", "provider=lab", "domain=nexus.example.org", "hosts=1"])
    monkeypatch.setenv("NEXUS_LAB_DIRECTORY", str(place / "lab"))
    (place / "lab/environments/example").mkdir(parents=True)
    assert command.main(["--remove", "example", "confirm=example"]) == 1
    assert "hosts of example exist on this machine" in capsys.readouterr().err
    assert (place / "inventory/example.py").is_file()


@pytest.mark.parametrize("words", [[], ["--help"], ["example", "ssh"]])
def test_wrong_command_lines(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(words) == 2
    assert "usage: " in capsys.readouterr().err
