"""Two roles of an unknown package: their contributions appear in the runbooks, which name no role."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from nexus.agent import parts
from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.run.role import Role, Roles
from nexus.run.role_questions import question
from roles.table import ROLES
from runbooks import status
from runbooks.daily import checks
from runbooks.failover import rebuilding, switching
from tests.plan.fake_run import FakeRun
from tests.plan.store_environment import environment

RUNBOOKS = Path(__file__).parents[2] / "runbooks"
VALVE = {
    "status.py": """
from nexus.run.row import Row, unreachable_lines, told
ORDER = 1
def question(env, host):
    return {"valve": {"name": host.name}} if "redis" in host.groups else {}
def run_question(run, host):
    return {"valve": {"wanted": "open"}} if "redis" in host.groups else {}
def rows(env, answers, now):
    names = [host.name for host in env.hosts]
    yield from unreachable_lines(answers, "valve", names)
    for name, answer in told(answers, "valve", names).items():
        yield Row("valve", name, answer["is"], "open", "" if answer["is"] == "open" else "turn it")
""",
    "host/status.py": """
def valve(context):
    if context["name"] == "data2":
        raise OSError("it is stuck")
    return {"is": context["wanted"]}
PARTS = {"valve": valve}
""",
    "daily.py": """
from nexus.run.checks import Check
from nexus.run.row import Row
def turned(found):
    return [Row("", name, str(one["turns"])) for name, one in found.of("turns").items()]
CHECKS = {"valve-turned": Check(turned, reads=("turns",))}
SHARED = {"no-leaks": Check(lambda found: [Row("valve", "leaks", "none")])}
def question(env, host):
    return {"turns": {}} if "redis" in host.groups else {}
""",
    "host/daily.py": 'PARTS = {"turns": lambda context: {"turns": 3}}',
    "failover.py": """
from nexus.run.runbook import Act
STORE, TITLE, DEFAULT = "valve", "Valves", True
def switch(run, to, force):
    return [Act(f"Switch to {to}, {force}", print, to)]
def rebuild(run, host, force):
    return [Act(f"Rebuild {host}, {force}", print, host)]
""",
}
PUMP = {
    "status.py": """
from nexus.run.row import Row
CHECKS = ("pump-runs",)
def question(env, host):
    return {"pump": {}}
def rows(env, answers, now):
    yield Row("pump", "runs", "as always")
""",
    "daily.py": """
from nexus.run.checks import Check
from nexus.run.row import Row
def leaks(found):
    return [Row("pump", "leaks", found.seen["data1"]["drops"]["count"])]
SHARED = {"no-leaks": Check(leaks, reads=("drops",))}
OBSERVED = {"drops": lambda run, host: {"count": "2 drops"}}
""",
    "failover.py": """
STORE, TITLE = "pump", "Pumps"
NO_SWITCH = "pumps take turns by themselves"
NO_REBUILD = "a pump is bought new"
""",
}


class Toy(FakeRun):
    """A run whose hosts answer at once, in this process."""

    def __init__(self, env: Environment, roles: Roles) -> None:
        self.environment, self.all_roles = env, roles
        self.asked: set[str] = set()

    def reaches(self, name: str) -> bool:
        return name != "app1"

    def host(self, name: str) -> Host:
        return self.environment.host(name)

    def roles(self, name: str) -> list[str]:
        return self.all_roles.of(self.environment.host(name))

    def untold(self, role: str) -> None:
        """The host that knows the images is reached, or there is no such host."""

    def kept(self) -> Mapping[str, Any]:
        return {}

    def ask_source(
        self, name: str, source: Path, names: list[str], context: Mapping[str, Any], named: Iterable[str] = ()
    ) -> dict[str, Any]:
        assert source.name == "parts.py"
        self.asked |= {*names}
        assert {part["module"] for part in context["parts"].values()} == set(named)
        return parts.probe(names, context)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Both roles, in a package whose name no other test has imported."""
    name = "toys_" + re.sub(r"\W", "_", request.node.name)
    for role, files in {"valve": VALVE, "pump": PUMP}.items():
        for path, text in {**files, "__init__.py": "", "host/__init__.py": ""}.items():
            file = tmp_path / "path" / name / role / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    monkeypatch.syspath_prepend(tmp_path / "path")
    return name


@pytest.fixture
def roles(package: str) -> Roles:
    return Roles(package, {"valve": Role(("redis",)), "pump": Role(("redis",))})


@pytest.fixture
def run(tmp_path: Path, roles: Roles) -> Toy:
    return Toy(environment(tmp_path, data=2), roles)


def test_rows_of_all_roles_are_shown_in_their_order(run: Toy) -> None:
    found = status.read(run)
    shown = [line.split() for line in found.text.splitlines()[1:]]
    assert [" ".join(words) for words in shown] == [
        "pump ok runs as always",
        "valve MISSED data2 does not say",
        "ok data1 open open",
        "in memory ok all hosts as planned as planned",
    ]
    assert found.missed == ("valve data2: it is stuck. `systemctl --failed` and the journal there say more",)


def test_two_roles_may_not_ask_for_the_same_part(run: Toy, package: str, tmp_path: Path) -> None:
    (tmp_path / "path" / package / "pump/status.py").write_text(VALVE["status.py"])
    with pytest.raises(OperatorError, match="role pump: another role also asks hosts for valve"):
        question(run.all_roles, run.environment, run.hosts.host("data1"))


def test_checks_are_merged_and_unknown_ones_are_named(run: Toy) -> None:
    known, names = checks.united(run.all_roles), ["valve-turned", "no-leaks", "incident-log", "never-heard-of"]
    rows = checks.judge(known, checks.gather(run, known, names), names)
    assert [(row.area, row.what, row.value) for row in rows[:4]] == [
        ("valve-turned", "data1", "3"),
        ("valve-turned", "data2", "3"),
        ("no-leaks", "valve leaks", "none"),
        ("no-leaks", "pump leaks", "2 drops"),
    ]
    assert [row.value[:16] for row in rows[4:]] == ["a task for peopl", "operations.yaml "]


@pytest.mark.parametrize(
    ("name", "asked", "known"),
    [
        ("valve-turned", {"turns"}, {"turns"}),
        ("pump-runs", {"pump"}, set()),
        ("no-leaks", set(), {"drops"}),
        ("never-heard-of", set(), set()),
    ],
)
def test_hosts_are_asked_for_what_a_check_reads(run: Toy, name: str, asked: set[str], known: set[str]) -> None:
    found = checks.gather(run, checks.united(run.all_roles), [name])
    assert run.asked == asked
    assert {part for answer in found.seen.values() for part in answer} == known


@pytest.mark.parametrize("kind", ["CHECKS", "SHARED"])
def test_a_check_may_belong_to_one_role_only(run: Toy, package: str, tmp_path: Path, kind: str) -> None:
    (tmp_path / "path" / package / "pump/daily.py").write_text(f'{kind} = {{"valve-turned": None}}')
    complaint = r"role pump answers daily checks that are answered already: valve-turned \(role valve\)"
    with pytest.raises(OperatorError, match=complaint):
        checks.united(run.all_roles)


def test_a_store_is_failed_over_by_its_role(run: Toy, roles: Roles) -> None:
    for store in ("valve", ""):
        assert [act.what for act in switching(roles, store).switch(run, "data2", True)] == ["Switch to data2, True"]
        assert [act.what for act in rebuilding(roles, store).rebuild(run, "data2", False)] == ["Rebuild data2, False"]


def test_a_store_without_a_failover_says_why(roles: Roles) -> None:
    with pytest.raises(OperatorError, match=r"^pumps take turns by themselves$"):
        switching(roles, "pump")
    with pytest.raises(OperatorError, match=r'store="pump": only replicas of Valves can be rebuilt\. A pump is bought'):
        rebuilding(roles, "pump")
    with pytest.raises(OperatorError, match=r'store="tank": failover supports valve \(the default\)$'):
        switching(roles, "tank")


def test_one_store_is_the_default(roles: Roles, package: str, tmp_path: Path) -> None:
    (tmp_path / "path" / package / "pump/failover.py").write_text(VALVE["failover.py"].replace('"valve"', '"pump"'))
    with pytest.raises(OperatorError, match="one may be the DEFAULT"):
        switching(roles, "pump")


def test_stores_of_the_platform() -> None:
    assert switching(ROLES, "").STORE == rebuilding(ROLES, "").STORE == "postgresql"
    assert switching(ROLES, "redis").__name__ == "roles.sentinel.failover"
    for store, words in {
        "rabbitmq": "RabbitMQ has no primary to move: every node takes writes",
        "etcd": "elect their leader themselves",
        "mysql": r'store="mysql": failover supports postgresql \(the default\) and redis$',
    }.items():
        with pytest.raises(OperatorError, match=words):
            switching(ROLES, store)
    with pytest.raises(OperatorError, match=r"only replicas of PostgreSQL can be rebuilt\. Redis copies everything"):
        rebuilding(ROLES, "redis")


def test_these_runbooks_name_no_role_and_no_store() -> None:
    files = [path for name in ("status", "failover") for path in (RUNBOOKS / name).glob("**/*.py")]
    files += [RUNBOOKS / "daily" / name for name in ("checks.py", "own_checks.py", "host/record.py")]
    assert len(files) > 5
    words = re.compile(rf"""(?m)^\s*(?:from|import) roles\b|["'](?:{"|".join((*ROLES, "functional"))})["']""")
    assert [str(path) for path in files if words.search(path.read_text())] == []
