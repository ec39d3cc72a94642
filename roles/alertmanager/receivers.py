"""Who is told of an alert: the receivers of operations.yaml, as far as this environment has addresses for them.

Addresses are settings; whatever lets somebody send in our name is a secret of the environment, which only operators
can enter: `make secrets-edit`.
"""

from collections.abc import Iterable
from typing import Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError

SECRETS = {
    "smtp": "alertmanager/smtp-password",
    "slack": "alertmanager/slack-url",
    "pagerduty": "alertmanager/pagerduty-key",
}
TITLE = "{{ .Status | toUpper }}: {{ .CommonLabels.alertname }} in {{ .CommonLabels.environment }}"
TEXT = "{{ range .Alerts }}{{ .Annotations.summary }}\n  to do: {{ .Annotations.fix }}\n{{ end }}"
SEVERITIES = ("critical", "warning")
WATCHDOG = "Watchdog"  # the alert that always fires, so that its absence is noticed
MAINTENANCE = "Maintenance"  # the alert that stands for what operators closed or drained
NOBODY = "nobody"


def receivers(env: Environment) -> list[dict[str, Any]]:
    """The receivers that routes name: one for each severity, and one for the dead man's switch."""
    found = [{"name": severity, **_channels(env, _names(env, severity))} for severity in SEVERITIES]
    url = str(env.setting.alertmanager_watchdog_url)
    switch = [{"name": WATCHDOG, "webhook_configs": [_webhook(env, url, resolved=False)]}] if url else []
    return [*found, *switch, {"name": NOBODY}]


def routes(env: Environment) -> list[dict[str, Any]]:
    """Routes by severity. The dead man's switch is repeated each minute; maintenance is nobody's news."""
    watchdog = WATCHDOG if env.setting.alertmanager_watchdog_url else NOBODY
    often = {"group_wait": "0s", "group_interval": "30s", "repeat_interval": "1m"}
    return [
        {"receiver": watchdog, "matchers": [f'alertname="{WATCHDOG}"'], **often},
        {"receiver": NOBODY, "matchers": [f'alertname="{MAINTENANCE}"']},
        *({"receiver": severity, "matchers": [f'severity="{severity}"']} for severity in SEVERITIES),
    ]


def unreached(env: Environment) -> list[str]:
    """Severities whose alerts nobody is told of."""
    return [severity for severity in SEVERITIES if not _channels(env, _names(env, severity))]


def _names(env: Environment, severity: str) -> list[str]:
    """The channels of a severity: its own, and those that get everything."""
    routing = env.catalogue.operations.alerts.routing
    return list(dict.fromkeys([*routing.default, *getattr(routing, severity), "webhook"]))


def _channels(env: Environment, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Alertmanager's configuration of these channels, without those that have no address."""
    setting, found = env.setting, dict[str, list[dict[str, Any]]]()
    channels = env.catalogue.operations.alerts.routing.channels
    slack, pagerduty = (env.secrets.optional(SECRETS[kind]) for kind in ("slack", "pagerduty"))
    for name in names:
        if name == "email":
            if setting.alertmanager_email_to:
                found["email_configs"] = [_email(env, address) for address in setting.alertmanager_email_to]
        elif name == "webhook":
            if urls := list(setting.alertmanager_webhook_urls):
                found["webhook_configs"] = [_webhook(env, url) for url in urls]
        elif name == "pagerduty":
            if pagerduty:
                found["pagerduty_configs"] = [{"routing_key": pagerduty, "description": TITLE, "send_resolved": True}]
        elif name in channels:
            if slack:
                one = {"api_url": slack, "channel": channels[name], "title": TITLE, "text": TEXT, "send_resolved": True}
                found.setdefault("slack_configs", []).append(one)
        else:
            known = ", ".join(["email", "pagerduty", "webhook", *channels])
            place = env.catalogue.where("operations.yaml", "alerts", "routing")
            raise OperatorError(
                f'{place} names the receiver "{name}", which has no channel: use {known}, or add it to '
                "alerts.routing.channels"
            )
    return found


def _email(env: Environment, address: str) -> dict[str, Any]:
    setting = env.setting
    if not setting.alertmanager_smtp_server or not setting.alertmanager_email_from:
        raise OperatorError(
            "alertmanager_email_to is set, but no server or sender: set alertmanager_smtp_server to HOST:PORT and "
            "alertmanager_email_from"
        )
    found: dict[str, Any] = {
        "to": address,
        "from": str(setting.alertmanager_email_from),
        "smarthost": str(setting.alertmanager_smtp_server),
        "require_tls": bool(setting.alertmanager_smtp_tls),
        "headers": {"Subject": TITLE},
        "html": "",
        "text": TEXT,
        "send_resolved": True,
    }
    if user := str(setting.alertmanager_smtp_user):
        password = env.secrets.optional(SECRETS["smtp"])
        if password is None:
            raise OperatorError(
                f'alertmanager_smtp_user is set, but the secret "{SECRETS["smtp"]}" is missing: enter it with '
                "`make secrets-edit`"
            )
        found |= {"auth_username": user, "auth_password": password}
    return found


def _webhook(env: Environment, url: str, resolved: bool = True) -> dict[str, Any]:
    return {"url": url, "send_resolved": resolved, "max_alerts": 0}
