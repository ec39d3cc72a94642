"""Asks a host for its parts in parallel: each is a function in the module of a role. Changes nothing."""

import importlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from nexus.agent.lib import RemoteError
from nexus.agent.parallel import Answers

Item = Mapping[str, Any]
Answer = dict[str, Any]


def probe(names: list[str], context: Item) -> dict[str, Answer]:
    """{part: its answer, or {"error": reason}}.

    `context` holds {"parts": {part: {"module", "context"}}, "seconds"}; the module's PARTS is {part: function}.
    """
    answers = Answers({name: partial(ask, name, context["parts"][name]) for name in names})
    silent = {"error": f"no answer within {context['seconds']} s"}
    return {**dict.fromkeys(names, silent), **answers.wait(context["seconds"])}


def ask(name: str, part: Item) -> Answer:
    """One part's answer."""
    try:
        found: Answer = importlib.import_module(part["module"]).PARTS[name](part["context"])
        return found
    except Exception as error:  # any error of a part is its answer
        text = str(error) if isinstance(error, RemoteError | OSError) else f"{type(error).__name__}: {error}"
        return {"error": " ".join(text.split())[:300]}
