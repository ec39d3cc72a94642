"""Alerts as promtool tests them: what fires just above a limit, just below it, and with no series at all.

The samples are in alerts/ROLE.yaml, one entry for each alert:

    DiskSpaceLow:
      series:            # {value} becomes `fires` or `quiet`; promtool's notation, a sample each 15 s
        'node_filesystem_avail_bytes{host="app1",mountpoint="/"}': "{value}"
        'node_filesystem_size_bytes{host="app1",mountpoint="/"}': "100"
      fires: 9.9         # just on the wrong side of the limit
      quiet: 10.1        # just on the right side
      absent: quiet      # with no series at all: quiet or fires
      labels: {host: app1}
      at: 2h             # optional: when the alert is looked at; else once its condition could hold for long enough

A value without operators, such as "{value}", is held constant; a counter is "0+{value}x240".
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from nexus.catalogue.observation import AlertRule
from nexus.environment.environment import Environment
from nexus.run.alert import Alert
from roles.prometheus import plan
from roles.table import ROLES
from tests.promql import look_back

HOSTS = {  # every group has hosts, and those that decide together have several
    "edge1": "edge",
    "edge2": "edge",
    "app1": "app",
    **{f"data{number}": "etcd postgresql redis rabbitmq mongodb" for number in (1, 2, 3)},
    "ops1": "ops storage",
    "ops2": "ops",
}
# what some alerts are about only where it is set
SETTINGS: dict[str, Any] = {
    "keepalived_address": "10.0.0.100/24",
    "keepalived_interface": "eth0",
    "acme_directories": ["https://acme.example.com/directory"],
}
SAMPLES = Path(__file__).parent / "alerts"
STEP_SECONDS = 15
ENVIRONMENT = "the-environment"
# promtool prints what it expected and what it got of each test that failed, by the name of the test
FAILED = re.compile(r"^    name: (.*),\n    alertname: .*\n +exp:\[", re.MULTILINE)
LABELS = re.compile(r"^ *Labels:\{(.*)\}\n *Annotations:\{(.*)\}", re.MULTILINE)
PAIR = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
COUNT = re.compile(r"x(\d+)$")  # of samples of a series
Fired = tuple[dict[str, str], dict[str, str]]  # labels and annotations of an alert


@dataclass(frozen=True, eq=False)
class Case:
    """An alert of a role with its sample."""

    role: str
    alert: Alert
    rule: Mapping[str, Any]
    sample: Mapping[str, Any]
    entry: AlertRule
    records: Sequence[Mapping[str, Any]]  # rules of its role that compute series
    interval: timedelta

    @property
    def name(self) -> str:
        return self.alert.name

    @property
    def tells_value(self) -> bool:
        """Whether its text has the value or the threshold; a condition that is true or not has neither."""
        return "$value" in self.alert.text or "{threshold}" in self.alert.text or self.entry.unit == "bool"

    @property
    def at(self) -> timedelta:
        """When the alert fires at the latest: what it reads is all there, and its condition holds for long enough.

        A series that ends before that ends the time: ratios and slopes do not need the whole of their windows.
        """
        if "at" in self.sample:
            return promql_parser.parse_duration(self.sample["at"])
        held = promql_parser.parse_duration(self.rule["for"]) if "for" in self.rule else timedelta()
        computed = [look_back(record["expr"]) + self.interval for record in self.used]
        there = look_back(self.rule["expr"]) + max(computed, default=timedelta()) + held + 2 * self.interval
        counts = [int(found[1]) for text in self.sample["series"].values() if (found := COUNT.search(str(text)))]
        return min([there, *(timedelta(seconds=count * STEP_SECONDS) for count in counts)])

    @property
    def used(self) -> list[Mapping[str, Any]]:
        """The computed series that it reads, and those that they read; each is computed after what it reads."""
        texts, found = [str(self.rule["expr"])], list[Mapping[str, Any]]()
        for record in reversed(self.records):
            if any(record["record"] in text for text in texts):
                texts.append(str(record["expr"]))
                found.insert(0, record)
        return found

    def test(self, which: str, expected: list[Fired]) -> dict[str, Any]:
        """One test of promtool: `which` is fires, quiet or absent."""
        series = {} if which == "absent" else self.sample["series"]
        values = {name: str(text).replace("{value}", str(self.sample[which])) for name, text in series.items()}
        steps = int(self.at.total_seconds()) // STEP_SECONDS + 1
        return {
            "name": f"{self.name} {which}",
            "interval": f"{STEP_SECONDS}s",
            "external_labels": {"environment": ENVIRONMENT},
            "input_series": [
                {"series": name, "values": f"{text}+0x{steps}" if _is_number(text) else text}
                for name, text in values.items()
            ],
            "alert_rule_test": [
                {
                    "eval_time": f"{int(self.at.total_seconds())}s",
                    "alertname": self.name,
                    "exp_alerts": [{"exp_labels": labels, "exp_annotations": notes} for labels, notes in expected],
                }
            ],
        }


def alerts(env: Environment) -> dict[str, dict[str, Alert]]:
    """{role: {name: alert}}."""
    found: dict[str, dict[str, Alert]] = {role: {} for role in ROLES.having("alerts")}
    for role, alert in plan.alerts(env):
        found[role][alert.name] = alert
    return found


def samples() -> dict[str, dict[str, dict[str, Any]]]:
    """{role: {name of the alert: sample}}."""
    return {path.stem: yaml.safe_load(path.read_text()) or {} for path in sorted(SAMPLES.glob("*.yaml"))}


def cases(env: Environment) -> list[Case]:
    """All alerts that have a sample. Those that are off are tested like the others."""
    operations = env.catalogue.operations.alerts
    entries = {entry.name: entry for entry in operations.rules}
    interval = timedelta(seconds=operations.evaluation_interval_seconds)
    known, rules = samples(), plan.rules_by_role(env)
    records = {role: [rule for rule in found if "record" in rule] for role, found in rules.items()}
    return [
        Case(role, alert, alert.rule(entries[name]), known[role][name], entries[name], records.get(role, []), interval)
        for role, found in alerts(env).items()
        for name, alert in found.items()
        if name in known.get(role, {})
    ]


def write(directory: Path, tests: Mapping[Case, list[dict[str, Any]]]) -> tuple[list[str], list[str]]:
    """Paths of rules and of tests for promtool, a file for each alert: promtool computes all rules of a file."""
    rules, paths = [], []
    for case, wanted in tests.items():
        of_alert = directory / f"{case.name}.rules.yml"
        of_alert.write_text(yaml.safe_dump({"groups": [{"name": case.role, "rules": [*case.used, dict(case.rule)]}]}))
        path = directory / f"{case.name}.yml"
        content = {
            "rule_files": [str(of_alert)],
            "evaluation_interval": f"{int(case.interval.total_seconds())}s",
            "tests": wanted,
        }
        path.write_text(yaml.safe_dump(content, sort_keys=False, width=1000))
        rules.append(str(of_alert))
        paths.append(str(path))
    return rules, paths


def promtool(*arguments: str) -> tuple[int, str]:
    """Its exit status and all its output."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def fired(output: str) -> dict[str, list[Fired]]:
    """{test: alerts} of the tests of which promtool was told that nothing fires, and something did."""
    _, *parts = FAILED.split(output)
    return {
        name: [(_pairs(labels), _pairs(notes)) for labels, notes in LABELS.findall(text)]
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def _pairs(text: str) -> dict[str, str]:
    return {name: re.sub(r"\\(.)", r"\1", value) for name, value in PAIR.findall(text)}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
