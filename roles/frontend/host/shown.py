"""Runs on an edge host: what front ends show, showed before, and could show. Changes nothing."""

from collections.abc import Mapping
from typing import Any

from roles.frontend.host.front_end import current, history, look


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """{slug: {"current", "history", "whole"}}: releases by name, the history newest first and each once."""
    found = {}
    for slug in names:
        path = f"{context['directory']}/{slug}"
        before = list(dict.fromkeys(release for release, _ in history(path)))
        found[slug] = {"current": current(path), "history": before, "whole": look(path)["whole"]}
    return found
