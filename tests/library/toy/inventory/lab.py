"""Hosts of the test: their ports and keys come from it."""

import json as _json
import os as _os

_hosts = [(name, data) for name, data in _json.loads(_os.environ["TOY_HOSTS"]).items()]
counting = _hosts[: int(_os.environ.get("TOY_COUNTING", "1"))]
others = _hosts
