"""Directories with their owner and mode. Anything in the way of a directory is never moved."""

import os
import shutil
from collections.abc import Mapping
from typing import Any

from nexus.agent.file import concerning
from nexus.agent.lib import RemoteError


def step(request: Mapping[str, Any]) -> None:
    for item in request["items"]:
        path = item["path"]
        if os.path.lexists(path) and not os.path.isdir(path):
            raise RemoteError(f"{path} should be a directory but is not one: move it away")
        with concerning(path):
            os.makedirs(path, exist_ok=True)
            shutil.chown(path, item["owner"], item["group"])
            os.chmod(path, item["mode"])
