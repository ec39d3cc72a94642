"""The limits of alerts: operations.yaml has an entry for each name below `alerts.rules`.

An environment overrides them by the setting `prometheus_alerts`.
"""

from pydantic import ValidationError

from nexus.catalogue.observation import AlertRule
from nexus.environment.environment import Environment
from nexus.error import OperatorError, nearest


def entries(env: Environment) -> dict[str, AlertRule]:
    """{name: entry} of all alerts that are not off, with the environment's overrides.

    OperatorError if an override names no alert, or if the entry that it makes is invalid.
    """
    found = {rule.name: rule for rule in env.catalogue.operations.alerts.rules}
    for name, override in dict(env.setting.prometheus_alerts).items():
        if name not in found:
            raise OperatorError(f'prometheus_alerts: operations.yaml has no alert "{name}"{nearest(name, found)}')
        found[name] = _overridden(found[name], override)
    return {name: rule for name, rule in found.items() if not rule.off}


def _overridden(entry: AlertRule, override: object) -> AlertRule:
    if not isinstance(override, dict):
        raise OperatorError(f'prometheus_alerts: {entry.name}: write fields and values, such as {{"off": True}}')
    try:
        return AlertRule.model_validate(entry.model_dump() | override)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = (entry.name, *wrong["loc"], *wrong.get("ctx", {}).get("location", ()))
        raise OperatorError(f"prometheus_alerts: {'.'.join(map(str, place))}: {wrong['msg']}") from None
