"""One statement in a session of tests/hosts/remote/proxy.py, which precedes this text; prints its rows."""

import json

asked = json.loads("ARGUMENT")
session = Session(asked["address"], asked["port"], *asked["login"], asked["ca"], 30)  # noqa: F821
print(json.dumps(session.query(asked["text"])))
