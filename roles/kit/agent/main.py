"""One request in, one answer out. Sent last, and run at once."""

from __future__ import annotations

import base64
import gc
import json
import os
import sys
import zlib
from collections.abc import Callable
from typing import Any

from roles.kit.agent import probe
from roles.kit.agent.base import RemoteError, turn

QUESTIONS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "probe": probe.probe,
    "traits": lambda request: probe.traits(),
    "contents": lambda request: {"contents": probe.contents(request["paths"])},
    "ask": lambda request: probe.ask("ask", request),
    "times": lambda request: probe.times(request),
}
ASIDE = "aside"  # as "ask", beside steps under way: for what must be known while they last


def main() -> None:
    """Read one request from standard input, print one line of JSON for a question, nothing for a step."""
    os.umask(0o022)
    sealed = sys.stdin.readline()
    if not sealed:
        return  # the run ended before there was anything to ask
    request = json.loads(zlib.decompress(base64.b64decode(sealed)))
    question = QUESTIONS.get(request["do"])
    if request["do"] == ASIDE:
        print(json.dumps(probe.ask("aside", request)))
        return
    try:
        with turn(alone=question is None, number=request.get("fence")) as let_in:
            if question:
                print(json.dumps(question(request)))
            else:
                from roles.kit.agent import fence, step  # sent with steps alone

                gc.enable()  # off for questions, which are over sooner than it pays
                sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # shown while it works
                fence.enter(request)
                if request.get("beside"):
                    let_in()
                if request["do"] != "claim":
                    getattr(step, f"step_{request['do']}")(request)
    except RemoteError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


main()
