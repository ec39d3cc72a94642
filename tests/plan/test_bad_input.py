"""Bad input is refused: exit status 1, words that help, no traceback, and no command on any host.

The real command line runs in a copy of the project; its hosts only write down what they are asked to do.
"""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
import pyrage
import pytest
from bad_input import Hosts, Outcome, Project

from roles.kit.authority import Authority

SERVICES = "group_data/catalogue/services.yaml"
NOTHING = "Nothing was changed on any host."


@pytest.fixture(scope="session")
def authority() -> Authority:
    """One for all tests: making its key takes longer than a run."""
    return Authority.create("lab")


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    found = Hosts()
    yield found
    found.close()


@pytest.fixture
def project(tmp_path: Path, hosts: Hosts, authority: Authority) -> Project:
    """A project that could be deployed, if its hosts did anything."""
    made = Project(tmp_path, hosts)
    write_secrets(made, {"tls/ca-key": authority.key, "tls/ca-certificate": authority.certificate})
    return made


def write_secrets(project: Project, values: Any, key: pyrage.x25519.Identity | None = None) -> None:
    """Seal the lab's secrets with a key, which is kept beside them unless it is given."""
    mine = pyrage.x25519.Identity.generate()
    (project.root / ".lab/age.key").write_text(f"{mine}\n")
    sealed = pyrage.encrypt(json.dumps(values).encode(), [(key or mine).to_public()])
    (project.root / ".lab/secrets.age").write_bytes(sealed)


def refused(project: Project, outcome: Outcome, *said: str, asked: bool = False) -> None:
    """`asked`: connections may have been made; commands never."""
    assert outcome.status == 1, outcome.text
    assert "Traceback" not in outcome.text, outcome.text
    for words in said:
        assert words in outcome.text, outcome.text
    assert NOTHING in outcome.text, outcome.text
    assert project.hosts.commands == []
    assert asked or project.hosts.connections == 0


def test_without_a_mistake_every_host_is_asked(project: Project) -> None:
    """Else no test here would say anything."""
    outcome = project.deploy()
    assert outcome.text.count("Connected") == project.hosts.connections == 8
    assert len(project.hosts.commands) > 0
    assert outcome.status == 1  # our hosts answer nothing
    assert "why stands above" in outcome.text
    assert "Traceback" not in outcome.text


# Which environment

WORDS = {
    "unknown environment": (
        ["inventory", "deploys/full.py", "-y"],
        {"NEXUS_ENV": "stagin"},
        'mean "staging"?',
    ),
    "unknown inventory": (["inventory/stagin.py", "deploys/full.py", "-y"], {}, 'mean "staging"?'),
    "inventory elsewhere": (
        ["elsewhere/lab.py", "deploys/full.py", "-y"],
        {},
        "elsewhere/lab.py is not there",
    ),
    "bare name": (["lab", "deploys/full.py", "-y"], {}, '"lab" is no inventory'),
    "bare address": (["127.0.0.1", "deploys/full.py", "-y"], {}, '"127.0.0.1" is no inventory'),
    "this machine": (["@local", "deploys/full.py", "-y"], {}, "this deploy needs an environment"),
    "provision unknown": (["@local", "deploys/provision.py", "-y"], {"NEXUS_ENV": "stagin"}, "mean staging?"),
    "no terminal": (["inventory", "deploys/full.py"], {}, "add -y to make them, or --dry to see them"),
    "no terminal to provision on": (["@local", "deploys/provision.py"], {}, "add -y to make them"),
    "data without value": (
        ["inventory", "deploys/full.py", "-y", "--data", "without"],
        {},
        "--data without=VALUE",
    ),
}


@pytest.mark.parametrize("case", WORDS)
def test_words_that_name_nothing(project: Project, case: str) -> None:
    words, env, said = WORDS[case]
    refused(project, project.run(*words, env=env), said)


@pytest.mark.parametrize("word", ["deploys/ful.py", "deploys/full"])
def test_an_unknown_deploy(project: Project, word: str) -> None:
    outcome = project.run("inventory", word, "-y")  # pyinfra itself says so, before it reads anything of ours
    assert outcome.status == 1
    assert word in outcome.text
    assert "Traceback" not in outcome.text
    assert project.hosts.connections == 0


@pytest.mark.parametrize("words", [("--limit", "web*"), ("--exclude", "web*")])
def test_a_pattern_that_matches_nothing(project: Project, words: tuple[str, str]) -> None:
    refused(project, project.deploy(*words), f'{words[0]} "web*" matches no host and no group of edge1, app1')


@pytest.mark.parametrize("words", [("--exclude", "*"), ("--limit", "app1", "--exclude", "app")])
def test_patterns_that_leave_nothing(project: Project, words: tuple[str, ...]) -> None:
    refused(project, project.deploy(*words), "--limit and --exclude leave no host of edge1, app1")


# Inventory and group data


def _groups(change: Callable[[dict[str, Any]], Any]) -> Callable[[Project], str]:
    def spoil(project: Project) -> str:
        change(project.groups)
        project.write_inventory()
        return ""

    return spoil


def _append(path: str, text: str) -> Callable[[Project], str]:
    def spoil(project: Project) -> str:
        project.append(path, text)
        return ""

    return spoil


def _line(path: str, text: str) -> Callable[[Project], str]:
    """Like `_append`, where the line is to be named."""
    return lambda project: f"{path}:{project.append(path, text)}: "


FILES: dict[str, tuple[Callable[[Project], str], str]] = {
    "no host in any group": (
        _groups(lambda groups: groups.update({name: [] for name in groups})),
        "inventory/lab.py names no host: put at least one into a group",
    ),
    "empty inventory": (_groups(lambda groups: groups.clear()), "inventory/lab.py names no host"),
    "inventory that ends early": (_line("inventory/lab.py", "app = [\n"), "'[' was never closed"),
    "inventory that fails": (_line("inventory/lab.py", "app = [wrong]\n"), "name 'wrong' is not defined"),
    "hosts that are none": (_groups(lambda groups: groups.update(app=[1])), "app holds 1: a host is"),
    "host without data": (
        _groups(lambda groups: groups.update(app=[("app1",)])),
        "app holds ('app1',): a host",
    ),
    "host with other data": (
        _groups(lambda groups: groups.update(app=[("app1", "x")])),
        "app holds ('app1', 'x')",
    ),
    "group that is no list": (_groups(lambda groups: groups.update(app="app1")), "app = 'app1' is no group"),
    "group that no role knows": (
        _groups(lambda groups: groups.update(postgresq=groups.pop("postgresql"))),
        'no role knows the group "postgresq"; did you mean "postgresql"?',
    ),
    "group data that ends early": (_line("group_data/lab.py", "a = (\n"), "'(' was never closed"),
    "group data that fails": (_line("group_data/lab.py", "release = wrong\n"), "name 'wrong' is not defined"),
    "group data of another group": (
        _line("group_data/app.py", "import nothere\n"),
        "No module named 'nothere'",
    ),
    "unknown setting": (
        _append("group_data/lab.py", "postgresql_prot = 5433\n"),
        'group_data/lab.py: unknown setting "postgresql_prot"; did you mean "postgresql_port"?',
    ),
    "unknown setting of a host": (
        _groups(lambda groups: groups["edge"][0][1].update(adress="192.0.2.1")),
        'inventory/lab.py, host edge1: unknown setting "adress"; did you mean "address"?',
    ),
    "unknown setting of the connection": (
        _append("group_data/lab.py", "ssh_known_host_file = '.lab/known_hosts'\n"),
        'unknown setting "ssh_known_host_file"; did you mean "ssh_known_hosts_file"?',
    ),
    "setting of a wrong type": (
        _append("group_data/lab.py", "postgresql_port = 'x'\n"),
        "group_data/lab.py: setting \"postgresql_port\" is 'x', a str; it must be an int such as",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_files_that_are_wrong(project: Project, case: str) -> None:
    spoil, said = FILES[case]
    place = spoil(project)  # empty where no line can be named
    refused(project, project.deploy(), said, place)


def test_an_inventory_that_ends_early_makes_no_hosts(project: Project) -> None:
    line = project.append("inventory/lab.py", "app = [\n")
    outcome = project.run("@local", "deploys/provision.py", "-y")
    refused(project, outcome, f"inventory/lab.py:{line}: ", "'[' was never closed")


DATA = {
    "postgresql_prot=5433": '--data: unknown setting "postgresql_prot"; did you mean "postgresql_port"?',
    "postgresql_port=high": "setting \"postgresql_port\" is 'high', a str; it must be an int such as",
    "services_excluded=auth-service": "it must be a list such as []",
    'services_excluded=["auth-service"]': "'auth-service' cannot go, auth-service-v2 depends on it",
    'services_excluded=["auth-servce"]': "'auth-servce' is no service of the catalogue; did you mean",
    "service_memory_scale=-1.0": "service_memory_scale: -1.0 leaves nothing; give a factor such as 0.5",
    "without=ap2": 'without=ap2: lab has no such host; did you mean "app2"?',
    "without=app1,app2": "leaves 1 of 3 swarm managers (app1, app2, app3): that is no quorum",
    'secrets_recipients=["age1nonsense"]': 'secrets_recipients: "age1nonsense" is no age public key',
}


@pytest.mark.parametrize("word", DATA)
def test_data_that_is_wrong(project: Project, word: str) -> None:
    refused(project, project.deploy("--data", word), DATA[word])


# Catalogue

AUTH_STORES = (
    '    stores: [postgresql, redis]\n    source: {entry: index.js, stop_exit_code: 143}\n    purpose: "Main'
)
CATALOGUE = {
    "malformed": (
        "    port: 3001\n",
        "   port: 3001\n",
        "services.yaml:{line}: is no valid YAML: did not find",
    ),
    "list not closed": ("    port: 3001\n", "    port: [3001\n", "services.yaml:{after}: is no valid YAML"),
    "key twice": (
        "    port: 3001\n",
        "    port: 3001\n    port: 3999\n",
        "services.yaml:{after}: key 'port' stands",
    ),
    "port twice": (
        "    port: 3001\n",
        "    port: 3002\n",
        "auth-service-v2: port: 3002 is taken, in line {line}",
    ),
    "port that is none": (
        "    port: 3001\n",
        "    port: high\n",
        "services.yaml:{line}: auth-service: port: 'high'",
    ),
    "name twice": (
        "  - name: auth-service\n",
        "  - name: auth-service-v2\n",
        "auth-service-v2: name: 'auth-service-v2' is taken, in line {line}",
    ),
    "unknown dependency": (
        "[user-auth, session-mgr, token-mgr]",
        "[user-auth, session-mgr, token-mg]",
        "services.yaml:{line}: auth-service: depends_on: 'token-mg' is no service of the catalogue; "
        "did you mean 'token-mgr'?",
    ),
    "unknown store": (
        AUTH_STORES,
        AUTH_STORES.replace("redis", "reddis"),
        "services.yaml:{line}: auth-service: stores: 'reddis' is no store of the catalogue; did you mean 'redis'?",
    ),
    "cycle": (
        "[user-auth, session-mgr, token-mgr]",
        "[user-auth, session-mgr, token-mgr, auth-service-v2]",
        "services.yaml:{line}: auth-service: depends_on: "
        "cycle auth-service -> auth-service-v2 -> auth-service; move the call",
    ),
}


@pytest.mark.parametrize("case", CATALOGUE)
def test_a_catalogue_that_is_wrong(project: Project, case: str) -> None:
    old, new, said = CATALOGUE[case]
    line = project.edit(SERVICES, old, new)
    refused(project, project.deploy(), "group_data/catalogue", said.format(line=line, after=line + 1))


def test_a_catalogue_with_a_file_missing(project: Project) -> None:
    (project.root / "group_data/catalogue/gateway.yaml").unlink()
    refused(project, project.deploy(), "gateway.yaml:1: cannot be read: No such file or directory")


# Secrets


def test_secrets_that_are_not_there(project: Project) -> None:
    (project.root / ".lab/secrets.age").unlink()
    outcome = project.deploy("--data", "secrets_generate=false")
    refused(project, outcome, ".lab/secrets.age is missing", "Make it with `make secrets`")


def test_a_secret_that_is_missing_where_none_may_be_made(project: Project) -> None:
    outcome = project.deploy("--data", "secrets_generate=false")
    refused(project, outcome, 'secret "', " is missing in ", "add what is missing with `make secrets`")


def test_secrets_that_are_cut_short(project: Project) -> None:
    sealed = project.root / ".lab/secrets.age"
    sealed.write_bytes(sealed.read_bytes()[:-40])
    refused(project, project.deploy(), ".lab/secrets.age cannot be decrypted with the key in")


def test_secrets_of_another_key(project: Project) -> None:
    write_secrets(project, {}, key=pyrage.x25519.Identity.generate())
    outcome = project.deploy()
    refused(
        project, outcome, ".lab/secrets.age cannot be decrypted", "Name the right key in NEXUS_AGE_IDENTITY"
    )


def test_secrets_that_hold_something_else(project: Project) -> None:
    write_secrets(project, ["a"])
    refused(project, project.deploy(), ".lab/secrets.age must hold one JSON object")


def test_an_age_key_that_is_none(project: Project) -> None:
    (project.root / ".lab/age.key").write_text("hello\n")
    refused(project, project.deploy(), ".lab/age.key must hold one line that begins with AGE-SECRET-KEY-")


def test_an_age_key_that_cannot_be_read(project: Project) -> None:
    (project.root / ".lab/secrets.age").unlink()  # what this run would make, it could not keep
    outcome = project.deploy(env={"NEXUS_AGE_IDENTITY": str(project.root)})
    refused(project, outcome, f"the age key {project.root} cannot be read")


# Source and capacity


def test_a_source_that_is_not_there(project: Project) -> None:
    outcome = project.deploy(env={"NEXUS_SOURCE": str(project.root / "nowhere")})
    refused(project, outcome, "nowhere is no directory: give the top of a checkout")


def test_a_source_that_is_no_checkout(project: Project) -> None:
    outcome = project.deploy(env={"NEXUS_SOURCE": str(project.root)})
    refused(project, outcome, "is no checkout of the platform's code", "Give the top of the checkout")


def test_services_that_do_not_fit_on_hosts_whose_figures_are_stated(project: Project) -> None:
    stated = ["capacity_cpus=2", f"capacity_memory_bytes={24 * 1024**3}", "service_memory_scale=1.0"]
    outcome = project.deploy(*(word for data in stated for word in ("--data", data)))
    refused(project, outcome, "the services of lab do not fit", "GiB asked", "lower service_replicas_max")


# Hosts


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port of this machine that nobody listens on, and that nobody else gets meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def _silence(project: Project, name: str, port: int) -> None:
    project.host(name)["ssh_port"] = port
    project.write_inventory()


def test_a_host_that_does_not_answer(project: Project, dead_port: int) -> None:
    _silence(project, "app2", dead_port)
    outcome = project.deploy()
    refused(project, outcome, "no connection to app2", f"Unable to connect to port {dead_port}", asked=True)
    assert "go on without: --data without=app2" in outcome.text
    assert "lab: 7 hosts, 0 changes, NOT COMPLETE on app2" in outcome.text


def test_a_run_goes_on_without_a_host_when_told_to(project: Project, dead_port: int) -> None:
    _silence(project, "app2", dead_port)
    outcome = project.deploy("--data", "without=app2")
    assert project.hosts.connections == 7
    assert len(project.hosts.commands) > 0
    assert "lab: 7 hosts, 0 changes, without app2" in outcome.text


@pytest.mark.parametrize("store", ["postgresql", "redis", "rabbitmq"])
def test_a_host_that_a_store_cannot_do_without(project: Project, dead_port: int, store: str) -> None:
    (name,) = project.groups[store]
    refused(project, project.deploy("--data", f"without={name}"), f"leaves 0 of 1 {store} ({name})")
    _silence(project, name, dead_port)
    outcome = project.deploy()
    refused(project, outcome, f"no connection to {name}", asked=True)
    assert "--data without" not in outcome.text


def test_a_wrong_key(project: Project) -> None:
    paramiko.ECDSAKey.generate().write_private_key_file(str(project.root / ".lab/id_ecdsa"))
    outcome = project.deploy()
    refused(
        project,
        outcome,
        "[edge1] Authentication error",
        "id_ecdsa",
        "no connection to app1, app2",
        asked=True,
    )


@pytest.mark.parametrize("content", [None, "no key\n"])
def test_a_key_that_is_none(project: Project, content: str | None) -> None:
    key = project.root / ".lab/id_ecdsa"
    key.unlink() if content is None else key.write_text(content)
    refused(project, project.deploy(), f"private key file: {key} (ssh_key of edge1, app1", "Set ssh_key")


def test_a_wrong_host_key(project: Project) -> None:
    project.know(paramiko.ECDSAKey.generate())
    outcome = project.deploy()
    refused(
        project, outcome, "[edge1] SSH host key error", "does not match", "no connection to app1", asked=True
    )


def test_a_host_key_that_is_not_known(project: Project) -> None:
    (project.root / ".lab/known_hosts").write_text("")
    outcome = project.deploy()
    refused(project, outcome, "No host key for [127.0.0.1]", "no connection to app1", asked=True)
    assert (project.root / ".lab/known_hosts").read_text() == ""


# Runs at the same time


def test_a_second_run_while_one_is_under_way(project: Project) -> None:
    hosts = project.hosts
    hosts.free.clear()  # the first run waits for its first answer
    first = project.start("inventory", "deploys/full.py", "-y")
    try:
        deadline = time.monotonic() + 30
        while not hosts.commands and first.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert hosts.commands
        before = hosts.connections
        second = project.deploy()
        assert second.status == 1
        assert f"lab is being changed by process {first.pid}, since " in second.text
        assert "Traceback" not in second.text
        assert NOTHING in second.text
        assert hosts.connections == before
    finally:
        first.send_signal(signal.SIGKILL)  # whatever becomes of the first, the next has its turn
        first.communicate()
    hosts.free.set()
    assert "being changed" not in (third := project.deploy()).text
    assert hosts.connections > before, third.text
