"""What Prometheus's expressions read: their vector selectors, and how far they look back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import promql_parser as promql

OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def selectors(expression: str) -> list[str]:
    """Every vector selector of an expression, once, without its range and offset: `up{job="node"}`."""
    return list(dict.fromkeys(_text(node) for node in _nodes(expression) if isinstance(node, promql.VectorSelector)))


def look_back(expression: str) -> timedelta:
    """How old the oldest sample is that an expression may read: at most the sum of its ranges and offsets."""
    total = timedelta()
    for node in _nodes(expression):
        total += getattr(node, "range", None) or timedelta()
        if isinstance(node, promql.VectorSelector | promql.SubqueryExpr):
            total += node.offset or timedelta()
    return total


def _nodes(expression: str) -> list[Any]:
    found: list[Any] = []
    promql.walk(promql.parse(expression), found.append)
    return found


def _text(selector: Any) -> str:
    matchers = [f"{one.name}{_operator(one)}{json.dumps(one.value)}" for one in selector.matchers.matchers]
    return f"{selector.name or ''}{{{','.join(matchers)}}}" if matchers else str(selector.name)


def _operator(matcher: Any) -> str:
    return OPERATORS[str(matcher.op).rpartition(".")[2]]
