"""What a role adds to the rules of Prometheus, in its file `alerts.py`.

`alerts(env)` yields Alerts. `records(env)`, if there is one, yields Records, which the role's alerts may use.

When an alert fires and whom it concerns is data: operations.yaml has an entry for each name under `alerts`, which an
environment overrides by the setting `prometheus_alerts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from nexus.catalogue.observation import AlertRule
from nexus.environment.environment import Environment
from nexus.error import OperatorError, nearest

LIMIT = "{limit}"


@dataclass(frozen=True)
class Alert:
    """A rule of Prometheus.

    `expression` is compared with the limit of the rule's entry: where it has `{limit}` that becomes, for example,
    `> 0.9`; otherwise the comparison is added at its end. `text` says what is wrong, with Prometheus's templates:
    `{{ $labels.host }}`, `{{ $value }}`; `{threshold}` is the limit's number. `fix` is the command that helps.
    """

    name: str
    expression: str
    text: str
    fix: str

    def rule(self, env: Environment, entry: AlertRule) -> dict[str, object]:
        """The rule as Prometheus reads it, with the limits of its entry."""
        threshold = f"{entry.threshold:g}"
        limit = f"{entry.comparison} {threshold}"
        expression = self.expression.replace(LIMIT, limit) if LIMIT in self.expression else f"{self.expression} {limit}"
        seconds = round(entry.for_seconds * float(env.setting.prometheus_duration_scale))
        return {
            "alert": self.name,
            "expr": expression,
            **({"for": f"{seconds}s"} if seconds else {}),
            "labels": {"severity": entry.severity},
            "annotations": {"summary": self.text.replace("{threshold}", threshold), "fix": self.fix},
        }


@dataclass(frozen=True)
class Record:
    """A series that Prometheus computes: the value of `expression` under a name, with `labels` added."""

    name: str
    expression: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def rule(self) -> dict[str, object]:
        """The rule as Prometheus reads it."""
        return {"record": self.name, "expr": self.expression, **({"labels": dict(self.labels)} if self.labels else {})}


def entries(env: Environment) -> dict[str, AlertRule]:
    """{name: entry} of all alerts that are not off, with the environment's overrides.

    OperatorError if an override names no alert, or if the entry that it makes is invalid.
    """
    found = {rule.name: rule for rule in env.catalogue.operations.alerts.rules}
    for name, override in dict(env.setting.prometheus_alerts).items():
        if name not in found:
            raise OperatorError(f'prometheus_alerts: there is no alert "{name}"{nearest(name, found)}')
        try:
            found[name] = AlertRule.model_validate(found[name].model_dump() | override)
        except ValidationError as error:
            wrong = error.errors()[0]
            field = ".".join(map(str, wrong["loc"]))
            raise OperatorError(f"prometheus_alerts: {name}.{field}: {wrong['msg']}") from None
    return {name: rule for name, rule in found.items() if not rule.off}
