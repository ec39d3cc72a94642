"""Runs on the host of Elasticsearch: the policy, the pipeline and the template of log lines, through its interface.

Elasticsearch answers with more than it was given: defaults, times and versions. An item is as planned if everything
that is planned is in the answer.
"""

import os
from collections.abc import Callable
from typing import Any

from nexus.agent.change import Change
from roles.elk.host.api import Api, Item, api

PATHS = {
    "lifecycle policy": "/_ilm/policy/",
    "ingest pipeline": "/_ingest/pipeline/",
    "index template": "/_index_template/",
}


def probe(names: list[str], context: Item) -> dict[str, Any]:
    """The items that exist, each as planned or as it is; nothing where Elasticsearch was never configured."""
    if not os.path.exists(context["unit_file"]):
        return {}
    server = api(context)
    return server.now(lambda: existing(server, names, context["planned"]))


def apply(change: Change) -> None:
    """Make the items that changed, in their order: the template names the policy and the pipeline."""
    server = api(change.context)
    for name in change.items:
        if name in change.changed:
            server.started(making(server, name, change.items[name]))


def making(server: Api, name: str, content: Item) -> Callable[[], Any]:
    """The act that makes an item."""
    path, body = address(name), {"policy": dict(content)} if name.startswith("lifecycle") else dict(content)
    return lambda: server.put(path, body)


def existing(server: Api, names: list[str], planned: Item) -> dict[str, Any]:
    """The items that the server has."""
    found = {name: content(name, server.get(address(name))) for name in names}
    return {name: _as_planned(planned[name], there) for name, there in found.items() if there is not None}


def address(name: str) -> str:
    """The path of an item such as "ingest pipeline nexus-cos"."""
    kind, _, which = name.rpartition(" ")
    return PATHS[kind] + which


def content(name: str, answer: Any) -> Any:
    """The content of an item, from the answer of its interface."""
    which = name.rpartition(" ")[2]
    if answer is None:
        return None
    if name.startswith("index template"):
        return answer["index_templates"][0]["index_template"]
    return answer[which]["policy"] if name.startswith("lifecycle") else answer[which]


def contains(there: Any, planned: Any) -> bool:
    """Whether everything planned is there; numbers and words of settings may be text."""
    if isinstance(planned, dict):
        return isinstance(there, dict) and all(key in there and contains(there[key], planned[key]) for key in planned)
    if isinstance(planned, list):
        same = isinstance(there, list) and len(there) == len(planned)
        return same and all(map(contains, there, planned))
    return str(there).lower() == str(planned).lower()


def _as_planned(planned: Item, there: Item) -> dict[str, Any]:
    return {key: value if contains(there.get(key), value) else there.get(key) for key, value in planned.items()}
