"""Symbolic links."""

import os
from collections.abc import Mapping
from typing import Any

from nexus.agent.file import LINK, concerning, remove


def step(request: Mapping[str, Any]) -> None:
    for item in request["items"]:
        temporary = f"{item['path']}{LINK}"
        with concerning(item["path"]):
            os.makedirs(os.path.dirname(item["path"]), exist_ok=True)
            remove(temporary)
            os.symlink(item["target"], temporary)
            os.rename(temporary, item["path"])
