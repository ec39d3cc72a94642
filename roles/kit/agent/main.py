"""One request in, one answer out. Sent last, and run at once."""

import base64
import json
import os
import sys
import zlib

from roles.kit.agent import probe, step
from roles.kit.agent.base import RemoteError


def main() -> None:
    """Read one request from standard input, print one line of JSON for a question, nothing for a step."""
    os.umask(0o022)
    request = json.loads(zlib.decompress(base64.b64decode(sys.stdin.readline())))
    try:
        if request["do"] == "probe":
            print(json.dumps(probe.probe(request)))
        elif request["do"] == "traits":
            print(json.dumps(probe.traits()))
        elif request["do"] == "contents":
            print(json.dumps(probe.contents(request["paths"])))
        elif request["do"] == "ask":
            print(json.dumps(probe.ask("ask", request)))
        else:
            getattr(step, f"step_{request['do']}")(request)
    except RemoteError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


main()
