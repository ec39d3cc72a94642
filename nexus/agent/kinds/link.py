"""Symbolic links."""

import os
from collections.abc import Mapping
from typing import Any

from nexus.agent.file import concerning, put_link


def step(request: Mapping[str, Any]) -> None:
    for item in request["items"]:
        with concerning(item["path"]):
            os.makedirs(os.path.dirname(item["path"]), exist_ok=True)
        put_link(item["target"], item["path"])
