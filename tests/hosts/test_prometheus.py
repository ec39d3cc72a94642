"""Prometheus: every planned target is read, every rule is loaded, and every selector of a rule has a series."""

import json
import re
import time
from pathlib import Path

import yaml

from roles.alertmanager.plan import members
from roles.prometheus.plan import rules_by_role, scrapes
from tests.promql import selectors

testinfra_hosts = ["ops"]
WITHOUT_SERIES = Path(__file__).parent / "selectors_without_series.yaml"
WINDOW = "10m"
SETTLED_SECONDS = 120  # after a deploy: two scrapes and two evaluations, on a slow machine


def api(host, setting, path, **query):
    """The data of an answer of Prometheus."""
    values = " ".join(f"--data-urlencode {name}@-" for name in query)
    [text] = query.values() or [""]
    command = f"printf %%s %s | curl -fsS -m 30 {values} %s"
    answer = host.check_output(command, text, f"http://127.0.0.1:{setting.prometheus_port}/api/v1/{path}")
    return json.loads(answer)["data"]


def test_prometheus_is_installed(host):
    assert host.package("prometheus").is_installed
    assert host.package("promtool").is_installed


def test_prometheus_runs(host):
    assert host.service("prometheus").is_running
    assert host.service("prometheus").is_enabled


def test_prometheus_is_for_the_host_alone(host, address, setting):
    assert host.socket(f"tcp://127.0.0.1:{setting.prometheus_port}").is_listening
    assert not host.socket(f"tcp://{address}:{setting.prometheus_port}").is_listening


def test_configuration_is_valid(host):
    assert host.run("promtool check config /etc/prometheus/prometheus.yml").rc == 0


def settled(wrong):
    """The first answer of `wrong()` that is empty, or else the last: Prometheus looks twice a minute."""
    deadline = time.monotonic() + SETTLED_SECONDS
    while (found := wrong()) and time.monotonic() < deadline:
        time.sleep(5)
    return found


def test_every_planned_target_is_up(host, env, setting):
    planned = {(exporter.job, server, one.name) for _, exporter, server, hosts in scrapes(env) for one in hosts}
    assert {("node", "", one.name) for one in env.hosts} <= planned

    def wrong():
        targets = api(host, setting, "targets?state=active")["activeTargets"]
        found = {
            (one["labels"]["job"], one["labels"].get("server", ""), one["labels"]["host"]): one["lastError"]
            or one["health"]
            for one in targets
        }
        return {target: found.get(target, "not planned") for target in planned ^ set(found)} | {
            target: health for target, health in found.items() if health != "up"
        }

    assert settled(wrong) == {}


def test_rules_are_loaded(host, env, setting):
    planned = {
        (role, rule.get("alert") or rule["record"], rule.get("labels", {}).get("severity", ""))
        for role, rules in rules_by_role(env).items()
        for rule in rules
    }
    assert planned

    def wrong():
        loaded = {
            (group["name"], rule["name"], rule.get("labels", {}).get("severity", "")): rule["health"]
            for group in api(host, setting, "rules")["groups"]
            for rule in group["rules"]
        }
        differing = dict.fromkeys(set(loaded) ^ planned, "differs from the plan")
        return differing | {rule: health for rule, health in loaded.items() if health != "ok"}

    assert settled(wrong) == {}


def test_alertmanagers_are_known(host, env, setting):
    found = [one["url"] for one in api(host, setting, "alertmanagers")["activeAlertmanagers"]]
    assert sorted(found) == sorted(f"https://{place}/api/v2/alerts" for place in members(env))


def test_selectors_of_rules_have_series(host, env, setting):
    """A selector without a series never fires: the name of a metric or of a label is wrong, or nobody offers it."""
    users: dict[str, list[str]] = {}
    for rules in rules_by_role(env).values():
        for rule in rules:
            for selector in selectors(rule["expr"]):
                users.setdefault(selector, []).append(rule.get("alert") or rule["record"])
    assert users
    wanted = list(users)
    query = " or ".join(
        f'label_replace(count(last_over_time({selector}[{WINDOW}])), "selector", "{number}", "", "")'
        for number, selector in enumerate(wanted)
    )
    excused = yaml.safe_load(WITHOUT_SERIES.read_text()) or {}

    def wrong():
        found = api(host, setting, "query", query=query)["result"]
        there = {wanted[int(one["metric"]["selector"])] for one in found}
        return {
            selector: names
            for selector, names in users.items()
            if selector not in there and not any(re.fullmatch(pattern, selector) for pattern in excused)
        }

    assert settled(wrong) == {}
