"""Every alert fires just above its limit and not just below it, as promtool computes it, and says what helps."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from nexus.cli.command import NO_SECRETS
from nexus.environment.environment import Environment
from nexus.environment.inventory import load
from nexus.error import OperatorError
from nexus.project import root
from roles.alertmanager.plan import configuration
from roles.prometheus import plan
from roles.prometheus.limit import entries
from roles.prometheus.plan import rules_by_role
from roles.table import ROLES
from tests.plan.alert_cases import (
    ENVIRONMENT,
    HOSTS,
    SAMPLES,
    SETTINGS,
    Case,
    Fired,
    alerts,
    cases,
    fired,
    promtool,
    samples,
    write,
)
from tests.plan.environments import environment
from tests.promql import look_back, selectors

WITH_ALERTS = ROLES.having("alerts")
SUBJECTS = ("host", "service", "server", "module", "route")  # a text names at least one of those that its alert has
WRONG = re.compile(r"<no value>|<error|\{\{|\{threshold\}|%!|NaN|Inf\b")
DEPLOY = re.compile(r"deploys/[\w.]+")


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return environment(tmp_path_factory.mktemp("env"), HOSTS, **SETTINGS)


def lab(**settings: Any) -> Environment:
    return load("lab", {**NO_SECRETS, **settings})


def rule(env: Environment, name: str) -> Mapping[str, Any]:
    """The rule of an alert, as Prometheus reads it."""
    return next(rule for rule in all_rules(env) if rule.get("alert") == name)


def all_rules(env: Environment) -> list[Mapping[str, Any]]:
    """Rules of all roles: alerts, and what is computed for them."""
    return [rule for rules in rules_by_role(env).values() for rule in rules]


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool, which tests/tools.sh installs")
@pytest.mark.parametrize("role", WITH_ALERTS)
def test_alerts_fire_at_their_limits(env: Environment, role: str, tmp_path: Path) -> None:
    found = [case for case in cases(env) if case.role == role]
    assert found
    firing = _firing(tmp_path, found)
    assert [complaint for case in found for complaint in _complaints(case, firing)] == []
    tests = {
        case: [case.test(which, firing.get(f"{case.name} {which}", [])) for which in ("fires", "quiet", "absent")]
        for case in found
    }
    rules, paths = write(tmp_path, tests)
    for arguments in (("test", "rules", *paths), ("check", "rules", *rules)):
        status, output = promtool(*arguments)
        assert not status, output


def _firing(directory: Path, found: list[Case]) -> dict[str, list[Fired]]:
    """What fires where it must: promtool is told that nothing does, and prints what did."""
    wanted = {case: ["fires", *(["absent"] if case.sample["absent"] == "fires" else [])] for case in found}
    _, paths = write(directory, {case: [case.test(which, []) for which in kinds] for case, kinds in wanted.items()})
    _, output = promtool("test", "rules", *paths)
    firing = fired(output)
    names = [f"{case.name} {which}" for case, kinds in wanted.items() for which in kinds]
    silent = [name for name in names if not firing.get(name)]
    assert not silent, f"did not fire: {', '.join(silent)}{output if not firing else ''}"
    return firing


def _complaints(case: Case, firing: Mapping[str, list[Fired]]) -> list[str]:
    """What is wrong with the labels and the text of an alert that fired."""
    found = []
    if not case.tells_value:
        found.append(f"{case.name}: its text has neither {{{{ $value }}}} nor {{threshold}}: {case.alert.text}")
    wanted = case.sample.get("labels", {}).items()
    if not any(wanted <= labels.items() for labels, _ in firing[f"{case.name} fires"]):
        found.append(f"{case.name}: has labels {[labels for labels, _ in firing[f'{case.name} fires']]}, not {wanted}")
    for labels, notes in firing[f"{case.name} fires"]:
        text = notes["summary"]
        subjects = [labels[name] for name in SUBJECTS if name in labels]
        if subjects and not any(subject in text for subject in (*subjects, ENVIRONMENT)):
            found.append(f"{case.name}: names none of {', '.join(subjects)}: {text}")
        if wrong := WRONG.search(text + notes["fix"]):
            found.append(f"{case.name}: {wrong[0]} in its text: {text}; {notes['fix']}")
    return found


def test_every_alert_has_a_sample(env: Environment) -> None:
    planned = {role: set(found) for role, found in alerts(env).items()}
    assert planned
    given = {role: set(found) for role, found in samples().items()}
    without = sorted(name for role, names in planned.items() for name in names - given.get(role, set()))
    assert without == [], f"add a sample to {SAMPLES.relative_to(root())}/ROLE.yaml"
    assert sorted(name for role, names in given.items() for name in names - planned.get(role, set())) == []


def test_samples_are_complete() -> None:
    given = {name: sample for found in samples().values() for name, sample in found.items()}
    assert given
    fields = {"series", "fires", "quiet", "absent"}
    assert {name for name, one in given.items() if not fields <= set(one) <= fields | {"labels", "at"}} == set()
    assert {name for name, one in given.items() if one["absent"] not in ("quiet", "fires")} == set()


def test_names_of_alerts_are_unique(env: Environment) -> None:
    names = [alert.name for _, alert in plan.alerts(env)]
    assert len(names) == len(set(names))


def test_every_entry_of_the_catalogue_is_an_alert(env: Environment) -> None:
    """Those that are off may lack one: nothing measures them yet."""
    known = {alert.name for _, alert in plan.alerts(env)}
    assert [
        rule.name for rule in env.catalogue.operations.alerts.rules if not rule.off and rule.name not in known
    ] == []


def test_selectors_are_found() -> None:
    text = 'absent(max_over_time(up{job="a\\"b",host!~"x.*"}[5m:1m])) and rate(up[10m] offset 1h) > 0 or up == 1'
    assert selectors(text) == ['up{job="a\\"b",host!~"x.*"}', "up"]
    assert look_back(text) == timedelta(minutes=75)


def test_excuses_are_of_selectors_of_rules(env: Environment) -> None:
    """tests/hosts excuses selectors that have no series on a healthy platform."""
    excused = yaml.safe_load((root() / "tests/hosts/selectors_without_series.yaml").read_text()) or {}
    used = {selector for rule in all_rules(env) for selector in selectors(rule["expr"])}
    assert used
    unused = [pattern for pattern in excused if not any(re.fullmatch(pattern, selector) for selector in used)]
    assert unused == []
    assert all(excused.values())


def test_rules_are_those_of_roles_with_hosts() -> None:
    env = lab()
    roles = {role for role in rules_by_role(env) if role != "constant"}
    assert {"base", "prometheus"} <= roles
    assert all(ROLES.hosts(role, env) for role in roles)


def test_commands_that_help_exist(env: Environment) -> None:
    fixes = {alert.name: alert.fix for found in alerts(env).values() for alert in found.values()}
    assert all(fixes.values())
    named = {(name, path) for name, fix in fixes.items() for path in DEPLOY.findall(fix)}
    assert named
    assert [(name, path) for name, path in sorted(named) if not (root() / path).is_file()] == []


@pytest.mark.skipif(not shutil.which("amtool"), reason="needs amtool, which tests/tools.sh installs")
def test_every_alert_has_a_receiver(env: Environment, tmp_path: Path) -> None:
    """As amtool routes the labels of its rule. Only what always fires goes to nobody."""
    config = tmp_path / "alertmanager.yml"
    config.write_text(yaml.safe_dump(configuration(env)))
    rules = [rule for rule in all_rules(env) if "alert" in rule]
    kinds = {(rule["labels"]["severity"], rule["alert"] if rule["expr"] == "vector(1)" else "") for rule in rules}
    assert {severity for severity, _ in kinds} == {"warning", "critical", "none"}
    for severity, name in kinds:
        labels = [f"severity={severity}", f"alertname={name or 'DiskSpaceLow'}"]
        command = ["amtool", "config", "routes", "test", f"--config.file={config}", *labels]
        receiver = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        assert receiver == ("nobody" if name else severity)


def test_a_limit_is_overridden() -> None:
    before, after = (
        rule(lab(), "DiskSpaceLow"),
        rule(
            lab(prometheus_alerts={"DiskSpaceLow": {"below": 0.25, "for_seconds": 30, "severity": "warning"}}),
            "DiskSpaceLow",
        ),
    )
    assert before["expr"].endswith("< 0.1")
    assert after["expr"].endswith("< 0.25")
    assert (before["for"], after["for"]) == ("300s", "30s")
    assert (before["labels"], after["labels"]) == ({"severity": "critical"}, {"severity": "warning"})
    assert "0.25" in after["annotations"]["summary"]


def test_an_alert_that_is_off_has_no_rule() -> None:
    names = [rule.get("alert") for rule in all_rules(lab(prometheus_alerts={"UnitFailed": {"off": True}}))]
    assert "DiskSpaceLow" in names
    assert "UnitFailed" not in names


def test_durations_are_scaled() -> None:
    env = lab(prometheus_duration_scale=0.1)
    assert rule(env, "DiskSpaceLow")["for"] == "30s"
    assert rule(env, "UnitFailed")["for"] == "6s"
    assert "for" not in rule(lab(prometheus_duration_scale=0.0), "UnitFailed")


@pytest.mark.parametrize(
    ("name", "override", "message"),
    [
        ("DiskSpaceLo", {"below": 0.2}, r'operations.yaml has no alert "DiskSpaceLo"; did you mean "DiskSpaceLow"'),
        ("DiskSpaceLow", {"bellow": 0.2}, r"DiskSpaceLow\.bellow: "),
        ("DiskSpaceLow", {"below": "much"}, r"DiskSpaceLow\.below: "),
        ("DiskSpaceLow", {"above": 0.2}, r"DiskSpaceLow\.below: give exactly one of above, below and equals"),
        ("DiskSpaceLow", {"below": None}, r"DiskSpaceLow\.above: give exactly one of above, below and equals"),
        ("UnitFailed", {"for_seconds": -1}, r"UnitFailed\.for_seconds: "),
        ("UnitFailed", {"severity": "urgent"}, r"UnitFailed\.severity: .*'warning' or 'critical'"),
        ("UnitFailed", {"off": "perhaps"}, r"UnitFailed\.off: "),
        ("UnitFailed", False, r"UnitFailed: write fields and values"),
    ],
)
def test_a_bad_override_is_refused(name: str, override: Any, message: str) -> None:
    with pytest.raises(OperatorError, match=f"prometheus_alerts: {message}"):
        entries(lab(prometheus_alerts={name: override}))
