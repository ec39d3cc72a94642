"""Runs on the host of Kibana: its saved objects, through its interface."""

import json
import os
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from roles.elk.host.api import Api, Item, api

READ, IMPORT = "/api/saved_objects/_bulk_get", "/api/saved_objects/_import?overwrite=true"
BOUNDARY = "nexus-cos-saved-objects"


def probe(names: list[str], context: Item) -> dict[str, Any]:
    """The objects that exist, each with the text by which it is compared; nothing before Kibana was configured."""
    if not os.path.exists(context["unit_file"]):
        return {}
    server = api(context)
    return server.now(lambda: existing(server, names))


def apply(change: Change) -> None:
    """Import all objects: those that are there are replaced, and dashboards need what they show."""
    server = api(change.context)
    server.started(lambda: load(server, change.payload["objects"]))


def existing(server: Api, names: list[str]) -> dict[str, Any]:
    """The objects that Kibana has, of those that are named."""
    wanted = [dict(zip(("type", "id"), name.split(" "), strict=True)) for name in names]
    found = server.send("POST", READ, json.dumps(wanted).encode())["saved_objects"]
    return {f"{one['type']} {one['id']}": {"plan": mark(one)} for one in found if "error" not in one}


def mark(one: Item) -> str:
    """As roles/elk/saved.py makes it: the description, or the pattern of a data view."""
    attributes = one["attributes"]
    return str(attributes.get("description") or attributes["title"])


def load(server: Api, objects: str) -> None:
    """Import objects; RemoteError with Kibana's reasons for those that it refuses."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="objects.ndjson"\r\n'
    body = f"{head}Content-Type: application/ndjson\r\n\r\n{objects}\r\n--{BOUNDARY}--\r\n"
    answer = server.send("POST", IMPORT, body.encode(), f"multipart/form-data; boundary={BOUNDARY}")
    if not answer.get("success"):
        reasons = json.dumps(answer.get("errors", answer))[:500]
        raise RemoteError(f"Kibana did not take all saved objects: {reasons}")
