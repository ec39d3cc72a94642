"""Bad input is refused: exit status 1, a helpful message, no traceback, and no command on any host.

The real command line runs in a copy of the project; its hosts only record the commands they get.
Arguments, inventory, settings and catalogue are here; keys, secrets and connections are in test_bad_access.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.plan.project_copy import Project, refused

SERVICES = "group_data/catalogue/services.yaml"
OPERATIONS = "group_data/catalogue/operations.yaml"


def test_without_a_mistake_every_host_is_asked(project: Project) -> None:
    """Otherwise no test here would prove anything."""
    outcome = project.deploy()
    assert outcome.text.count("Connected") == project.hosts.connections == 8
    assert len(project.hosts.commands) > 0
    assert outcome.status == 1  # the test's hosts do not answer
    assert "did not answer" in outcome.text
    assert "Traceback" not in outcome.text


# Which environment

WORDS = {
    "unknown environment": (["inventory", "deploys/full.py", "-y"], {"NEXUS_ENV": "stagin"}, 'mean "staging"?'),
    "unknown inventory": (["inventory/stagin.py", "deploys/full.py", "-y"], {}, 'mean "staging"?'),
    "inventory elsewhere": (["elsewhere/lab.py", "deploys/full.py", "-y"], {}, "elsewhere/lab.py does not exist"),
    "bare name": (["lab", "deploys/full.py", "-y"], {}, '"lab" is not an inventory'),
    "bare address": (["127.0.0.1", "deploys/full.py", "-y"], {}, '"127.0.0.1" is not an inventory'),
    "this machine": (["@local", "deploys/full.py", "-y"], {}, "this deploy needs an environment"),
    "provision unknown": (["@local", "deploys/provision.py", "-y"], {"NEXUS_ENV": "stagin"}, 'mean "staging"?'),
    "no terminal": (["inventory", "deploys/full.py"], {}, "add -y to make them, or --dry to see them"),
    "no terminal to provision on": (["@local", "deploys/provision.py"], {}, "add -y to make them"),
    "data without value": (["inventory", "deploys/full.py", "-y", "--data", "without"], {}, "--data without=VALUE"),
}


@pytest.mark.parametrize("case", WORDS)
def test_bad_words_on_the_command_line(project: Project, case: str) -> None:
    words, env, said = WORDS[case]
    refused(project, project.run(*words, env=env), said)


@pytest.mark.parametrize("word", ["deploys/ful.py", "deploys/full"])
def test_an_unknown_deploy(project: Project, word: str) -> None:
    outcome = project.run("inventory", word, "-y")  # pyinfra itself reports it, before it reads the project
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
    """Like `_append`, but the message must name the line."""
    return lambda project: f"{path}:{project.append(path, text)}: "


FILES: dict[str, tuple[Callable[[Project], str], str]] = {
    "no host in any group": (
        _groups(lambda groups: groups.update({name: [] for name in groups})),
        "inventory/lab.py names no host: put at least one into a group",
    ),
    "empty inventory": (_groups(lambda groups: groups.clear()), "inventory/lab.py names no host"),
    "inventory that ends early": (_line("inventory/lab.py", "app = [\n"), "'[' was never closed"),
    "inventory that fails": (_line("inventory/lab.py", "app = [wrong]\n"), "name 'wrong' is not defined"),
    "invalid host": (_groups(lambda groups: groups.update(app=[1])), "app holds 1: a host is"),
    "host without data": (_groups(lambda groups: groups.update(app=[("app1",)])), "app holds ('app1',): a host"),
    "host with other data": (_groups(lambda groups: groups.update(app=[("app1", "x")])), "app holds ('app1', 'x')"),
    "group that is not a list": (_groups(lambda groups: groups.update(app="app1")), "app = 'app1' is not a group"),
    "group that no role knows": (
        _groups(lambda groups: groups.update(postgresq=groups.pop("postgresql"))),
        'no role knows the group "postgresq"; did you mean "postgresql"?',
    ),
    "group data that ends early": (_line("group_data/lab.py", "a = (\n"), "'(' was never closed"),
    "group data that fails": (_line("group_data/lab.py", "release = wrong\n"), "name 'wrong' is not defined"),
    "group data of another group": (_line("group_data/app.py", "import nothere\n"), "No module named 'nothere'"),
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
def test_invalid_files(project: Project, case: str) -> None:
    spoil, said = FILES[case]
    place = spoil(project)  # empty if no line can be named
    refused(project, project.deploy(), said, place)


def test_an_inventory_that_ends_early_makes_no_hosts(project: Project) -> None:
    line = project.append("inventory/lab.py", "app = [\n")
    outcome = project.run("@local", "deploys/provision.py", "-y")
    refused(project, outcome, f"inventory/lab.py:{line}: ", "'[' was never closed")


DATA = {
    "postgresql_prot=5433": '--data: unknown setting "postgresql_prot"; did you mean "postgresql_port"?',
    "postgresql_port=high": "setting \"postgresql_port\" is 'high', a str; it must be an int such as",
    "services_excluded=auth-service": "it must be a list such as []",
    'services_excluded=["auth-service"]': "'auth-service' cannot be excluded: auth-service-v2 depends on it",
    'services_excluded=["auth-servce"]': "'auth-servce' is not a service in the catalogue; did you mean",
    "service_memory_scale=-1.0": "service_memory_scale: -1.0 leaves nothing; set a factor such as 0.5",
    "without=ap2": 'without=ap2: lab has no such host; did you mean "app2"?',
    "without=app1,app2": "leaves 1 of 3 swarm managers (app1, app2, app3), and a majority must stay",
}


@pytest.mark.parametrize("word", DATA)
def test_invalid_data(project: Project, word: str) -> None:
    refused(project, project.deploy("--data", word), DATA[word])


# Catalogue

AUTH_STORES = '    stores: [postgresql, redis]\n    source: {entry: index.js, stop_exit_code: 143}\n    purpose: "Main'
CATALOGUE = {
    "malformed": (
        "    port: 3001\n",
        "   port: 3001\n",
        "services.yaml:{line}: services: is not valid YAML: did not find",
    ),
    "list not closed": ("    port: 3001\n", "    port: [3001\n", "services.yaml:{after}: services: is not valid YAML"),
    "key twice": (
        "    port: 3001\n",
        "    port: 3001\n    port: 3999\n",
        "services.yaml:{after}: auth-service: port: key 'port' appears twice",
    ),
    "port twice": (
        "    port: 3001\n",
        "    port: 3002\n",
        "auth-service-v2: port: 3002 is already used in line {line}",
    ),
    "invalid port": ("    port: 3001\n", "    port: high\n", "services.yaml:{line}: auth-service: port: 'high'"),
    "name twice": (
        "  - name: auth-service\n",
        "  - name: auth-service-v2\n",
        "auth-service-v2: name: 'auth-service-v2' is already used in line {line}",
    ),
    "unknown dependency": (
        "[user-auth, session-mgr, token-mgr]",
        "[user-auth, session-mgr, token-mg]",
        "services.yaml:{line}: auth-service: depends_on: 'token-mg' is not a service in the catalogue; "
        "did you mean 'token-mgr'?",
    ),
    "unknown store": (
        AUTH_STORES,
        AUTH_STORES.replace("redis", "reddis"),
        "services.yaml:{line}: auth-service: stores: 'reddis' is not a store in the catalogue; did you mean 'redis'?",
    ),
    "cycle": (
        "[user-auth, session-mgr, token-mgr]",
        "[user-auth, session-mgr, token-mgr, auth-service-v2]",
        "services.yaml:{line}: auth-service: depends_on: "
        "cycle auth-service -> auth-service-v2 -> auth-service; move a call",
    ),
}


@pytest.mark.parametrize("case", CATALOGUE)
def test_an_invalid_catalogue(project: Project, case: str) -> None:
    old, new, said = CATALOGUE[case]
    line = project.edit(SERVICES, old, new)
    refused(project, project.deploy(), "group_data/catalogue", said.format(line=line, after=line + 1))


def test_a_catalogue_that_broke_since_the_last_run(project: Project) -> None:
    project.deploy()
    assert project.hosts.connections > 0
    project.hosts.connections = 0
    project.hosts.commands.clear()
    line = project.edit(SERVICES, *CATALOGUE["cycle"][:2])
    outcome = project.deploy()
    refused(project, outcome, CATALOGUE["cycle"][2].format(line=line))
    assert "Connecting to hosts" not in outcome.text


def test_a_source_added_after_a_run_is_checked_first(project: Project) -> None:
    project.deploy()
    project.hosts.connections = 0
    project.hosts.commands.clear()
    outcome = project.deploy(env={"NEXUS_SOURCE": str(project.root / "nowhere")})
    refused(project, outcome, "nowhere is not a directory: give the top directory of a checkout")
    assert "Connecting to hosts" not in outcome.text


def test_a_figure_that_a_role_reads_is_renamed(project: Project) -> None:
    line = project.edit(OPERATIONS, "incremental_every_hours: 1", "incremental_evry_hours: 1")
    place = f"operations.yaml:{line}: backups: database"
    remedy = "incremental_evry_hours: is not a field here; did you mean 'incremental_every_hours'?"
    refused(project, project.deploy(), f"{place}.{remedy}", f"{place}.incremental_every_hours: is missing")


def test_a_catalogue_with_a_file_missing(project: Project) -> None:
    (project.root / "group_data/catalogue/gateway.yaml").unlink()
    refused(project, project.deploy(), "gateway.yaml:1: cannot be read: No such file or directory")
