"""What a role adds to the rules of Prometheus, in its file `alerts.py`.

`alerts(env)` yields Alerts. `records(env)`, if there is one, yields Records, which the role's alerts may use.

When an alert fires and whom it concerns is data: operations.yaml has an entry for each name below `alerts.rules`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nexus.catalogue.observation import AlertRule

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

    def rule(self, entry: AlertRule, scale: float = 1.0, runbooks: str = "") -> dict[str, object]:
        """The rule as Prometheus reads it, with the limits of its entry; `scale` is a factor of its duration.

        `runbooks` is the page with a section for each alert, which the rule names.
        """
        threshold = f"{entry.threshold:g}"
        limit = f"{entry.comparison} {threshold}"
        expression = self.expression.replace(LIMIT, limit) if LIMIT in self.expression else f"{self.expression} {limit}"
        seconds = round(entry.for_seconds * scale)
        return {
            "alert": self.name,
            "expr": expression,
            **({"for": f"{seconds}s"} if seconds else {}),
            "labels": {"severity": entry.severity},
            "annotations": {
                "summary": self.text.replace("{threshold}", threshold),
                "fix": self.fix,
                **({"runbook_url": f"{runbooks}#{self.name.lower()}"} if runbooks else {}),
            },
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
