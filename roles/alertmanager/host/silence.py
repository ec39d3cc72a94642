"""Runs on an ops host: silences alerts while a run causes them, and ends the silence."""

import time
from collections.abc import Mapping
from typing import Any

from roles.alertmanager.host.api import ask

BY = "nexus-cos"


def begin(context: Mapping[str, Any]) -> None:
    """Silence alerts whose name and service match, for some seconds; `why` names the silence."""
    end(context)
    now = time.time()
    matchers = [{"name": name, "value": value, "isRegex": True} for name, value in context["matchers"].items()]
    silence = {"startsAt": _text(now), "endsAt": _text(now + context["seconds"]), "createdBy": BY}
    ask(context, "POST", "silences", {**silence, "matchers": matchers, "comment": context["why"]})


def end(context: Mapping[str, Any]) -> None:
    """End the silences of this name, if there are any left."""
    for one in ask(context, "GET", "silences"):
        ours = (one["createdBy"], one["comment"]) == (BY, context["why"])
        if ours and one["status"]["state"] != "expired":
            ask(context, "DELETE", f"silence/{one['id']}")


def _text(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
