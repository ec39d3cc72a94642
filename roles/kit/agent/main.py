"""One request in, one answer out. Sent last, and run at once."""

from __future__ import annotations

import binascii
import gc
import json
import os
import sys
import zlib
from collections.abc import Mapping
from typing import Any, NoReturn

from roles.kit.agent.base import RemoteError, turn

ASIDE = "aside"  # as "ask", beside steps under way: for what must be known while they last
QUESTIONS = ("probe", "traits", "contents", "ask", "times")
CLAIM = "claim"


def main() -> None:
    """Read one request from standard input, print one line of JSON for a question, nothing for a step."""
    os.umask(0o022)
    sealed = sys.stdin.readline()
    if not sealed:
        return  # the run ended before there was anything to ask
    request = json.loads(zlib.decompress(binascii.a2b_base64(sealed)))
    do = request["do"]
    if do == ASIDE:
        print(json.dumps(answer(request)))
        leave()
    try:
        with turn(alone=do not in QUESTIONS, number=request.get("fence")) as let_in:
            if do in QUESTIONS:
                print(json.dumps(answer(request)))
            else:
                from roles.kit.agent import fence

                gc.enable()  # off for questions, which are over sooner than it pays
                sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # shown while it works
                fence.enter(request)
                if request.get("beside"):
                    let_in()
                if do != CLAIM:
                    from roles.kit.agent import step

                    getattr(step, f"step_{do}")(request)
    except RemoteError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    if do in (*QUESTIONS, CLAIM):
        leave()


def leave() -> NoReturn:
    """End now: nothing is left to be done, and Python would tidy up for 2 to 4 ms."""
    sys.stdout.flush()
    os._exit(0)


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a question; what it takes is not sent with steps and claims."""
    from roles.kit.agent import probe

    do = request["do"]
    if do == "probe":
        return probe.probe(request)
    if do == "traits":
        return probe.traits()
    if do == "contents":
        return {"contents": probe.contents(request["paths"])}
    if do == "times":
        return probe.times(request)
    return probe.ask(do, request)


main()
