"""Files with their content, owner and mode, each written whole or not at all."""

import base64
import os
from collections.abc import Mapping
from typing import Any

from nexus.agent.file import concerning, write_atomic


def step(request: Mapping[str, Any]) -> None:
    for item in request["items"]:
        with concerning(item["path"]):
            os.makedirs(os.path.dirname(item["path"]), exist_ok=True)
        write_atomic(item["path"], base64.b64decode(item["data"]), item["mode"], item["owner"], item["group"])
