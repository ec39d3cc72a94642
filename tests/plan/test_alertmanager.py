"""Who is told of alerts: receivers by setting and secret, missing ones named, and what maintenance inhibits."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.alertmanager.plan import configuration, notes
from roles.alertmanager.receivers import SECRETS
from roles.prometheus import constant
from tests.plan import environments

MAIL: dict[str, Any] = {
    "alertmanager_email_to": ["on-call@example.com"],
    "alertmanager_email_from": "nexus@example.com",
    "alertmanager_smtp_server": "mail.example.com:587",
}


def receivers(env: Environment) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in configuration(env)["receivers"]}


def test_without_addresses_nobody_is_told_and_a_note_says_so(tmp_path: Path) -> None:
    env = environments.environment(tmp_path)
    assert set(receivers(env)) == {"critical", "warning", "nobody"}
    told, watched = notes(env)
    assert "nobody is told of critical and warning alerts" in told
    assert "alertmanager_watchdog_url" in watched


def test_all_channels_at_once(tmp_path: Path) -> None:
    env = environments.environment(
        tmp_path,
        **MAIL,
        alertmanager_smtp_user="nexus",
        alertmanager_webhook_urls=["http://10.0.0.9/alerts"],
        alertmanager_watchdog_url="https://switch.example.com/",
    )
    for secret in SECRETS.values():
        env.secrets.put(secret, "https://a-secret.example.com/")
    found = receivers(env)
    critical, warning = found["critical"], found["warning"]
    assert set(critical) == {"name", "email_configs", "webhook_configs", "pagerduty_configs", "slack_configs"}
    assert set(warning) == {"name", "email_configs", "webhook_configs", "slack_configs"}
    assert critical["slack_configs"][0]["channel"] == "#nexus-cos-critical"
    assert warning["slack_configs"][0]["channel"] == "#nexus-cos-ops"
    assert found["Watchdog"]["webhook_configs"][0]["send_resolved"] is False
    assert notes(env) == []


@pytest.mark.skipif(not shutil.which("amtool"), reason="needs amtool, which tests/tools.sh installs")
def test_amtool_accepts_every_channel(tmp_path: Path) -> None:
    env = environments.environment(tmp_path, **MAIL, alertmanager_webhook_urls=["http://10.0.0.9/alerts"])
    for secret in SECRETS.values():
        env.secrets.put(secret, "https://a-secret.example.com/")
    config = tmp_path / "alertmanager.yml"
    config.write_text(yaml.safe_dump(configuration(env)))
    done = subprocess.run(["amtool", "check-config", str(config)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"alertmanager_email_to": ["a@example.com"]}, "alertmanager_smtp_server"),
        ({**MAIL, "alertmanager_smtp_user": "nexus"}, "alertmanager/smtp-password"),
    ],
)
def test_half_a_channel_is_refused(settings: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=words):
        configuration(environments.environment(tmp_path, **settings))


def test_closed_services_and_drained_hosts_are_named(tmp_path: Path) -> None:
    env = environments.environment(tmp_path, nginx_maintenance=["glitch"], swarm_drained=["app2"])
    labels = [rule["labels"] for rule in constant.rules(env) if rule["alert"] == "Maintenance"]
    assert [{**one, "severity": ""} for one in labels] == [
        {"service": "glitch", "severity": ""},
        {"host": "app2", "severity": ""},
    ]


@pytest.mark.parametrize(
    ("source", "label"), [("Maintenance", "service"), ("Maintenance", "host"), ("HostDown", "host")]
)
def test_one_cause_is_one_message(source: str, label: str, tmp_path: Path) -> None:
    """An alert without the label is inhibited by nothing, and no alert by itself."""
    rules = configuration(environments.environment(tmp_path))["inhibit_rules"]
    found = [one for one in rules if one["equal"] == [label] and f'alertname="{source}"' in one["source_matchers"]]
    assert len(found) == 1
    assert f'{label}!=""' in found[0]["source_matchers"]
    assert f'alertname!="{source}"' in found[0]["target_matchers"]
