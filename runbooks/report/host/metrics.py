"""Runs on an ops host: asks its Prometheus for series, alerts and targets. Changes nothing."""

import time
from typing import Any

from nexus.agent.lib import RemoteError
from roles.prometheus.host.query import ask

DIGITS = 6
ALERTS, TARGETS, NAMES, TIMES = "alerts", "targets", "names", "times"  # apart from queries


def probe(names: list[str], context: dict[str, Any]) -> dict[str, Any]:
    """{name: answer} of queries, of alerts and targets, and of the names of all metrics.

    A query's answer is {"series": [[labels, values]], "more": number of series that were left out}, or {"error"}.
    Values are one for each step, and null where there is none; an instant query has one step.
    """
    step = int(context["step"])
    end = int(time.time()) // step * step
    start = end - int(context["seconds"]) // step * step
    found: dict[str, Any] = {TIMES: {"start": start, "end": end, "step": step}}
    for name in names:
        if name in (ALERTS, TARGETS):
            found[name] = _ask(context, name, {"state": "active"} if name == TARGETS else {})
        elif name == NAMES:
            found[name] = _ask(context, "label/__name__/values", {"start": start, "end": end})
        else:
            found[name] = _query(context, context["queries"][name], start, end, step)
    return found


def _query(context: dict[str, Any], query: dict[str, Any], start: int, end: int, step: int) -> dict[str, Any]:
    try:
        if query["instant"]:
            series = _ask(context, "query", {"query": query["expression"], "time": end})["result"]
            found = [[one["metric"], [_number(one["value"][1])]] for one in _vector(series, end)]
        else:
            span = {"query": query["expression"], "start": start, "end": end, "step": step}
            series = _ask(context, "query_range", span)["result"]
            found = [[one["metric"], _aligned(one["values"], start, end, step)] for one in series]
    except RemoteError as error:
        return {"error": str(error)}
    found = [one for one in found if any(value is not None for value in one[1])]
    found.sort(key=lambda one: max(value for value in one[1] if value is not None), reverse=True)
    most = int(context["series_max"])
    return {"series": found[:most], "more": max(0, len(found) - most)}


def _vector(result: Any, at: int) -> list[dict[str, Any]]:
    """Series of an instant query; one that is a plain number has no labels."""
    plain = bool(result) and not isinstance(result[0], dict)
    return [{"metric": {}, "value": [at, result[1]]}] if plain else list(result)


def _aligned(values: list[list[Any]], start: int, end: int, step: int) -> list[float | None]:
    found: list[float | None] = [None] * ((end - start) // step + 1)
    for at, value in values:
        found[round((at - start) / step)] = _number(value)
    return found


def _number(text: str) -> float | None:
    """A value in few digits; None for what no plot can show."""
    value = float(text)
    return float(f"{value:.{DIGITS}g}") if abs(value) < float("inf") else None


def _ask(context: dict[str, Any], path: str, values: dict[str, Any]) -> Any:
    """The data of an answer; RemoteError if Prometheus refuses or does not answer."""
    return ask(int(context["port"]), path, **{name: str(value) for name, value in values.items()})
