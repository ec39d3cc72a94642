"""Requests in, answers out. Sent last, and run at once."""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import os
import signal
import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from roles.kit.agent import probe
from roles.kit.agent.base import RemoteError, turn
from roles.kit.agent.loading import learn

QUESTIONS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "probe": probe.probe,
    "traits": lambda request: probe.traits(),
    "contents": lambda request: {"contents": probe.contents(request["paths"])},
    "ask": lambda request: probe.ask("ask", request),
    "times": lambda request: probe.times(request),
}
ASIDE = "aside"  # as "ask", beside steps under way: for what must be known while they last


IDLE_SECONDS = 3600  # a run whose end was never heard of does not leave its agent for ever


def main(stays: bool) -> None:
    """Carry out the request on standard input; where it `stays`, one after the other until there are no more.

    Its output is one line of JSON for a question, what a step has to say otherwise. An agent that stays ends each
    with a line of its exit status, on both of its outputs, and begins with one that says that it is there.
    """
    os.umask(0o022)
    if not stays:
        if sealed := sys.stdin.readline():  # none where the run ended before there was anything to ask
            carry_out(opened(sealed))
        return
    _end(0)
    while sealed := _next():
        request = opened(sealed)
        for name, source in request.pop("modules"):
            learn(name, source)
        _end(_apart(request))


def opened(sealed: str) -> dict[str, Any]:
    """A request as it was before it became a line."""
    request: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(sealed)))
    return request


def carry_out(request: Mapping[str, Any]) -> None:
    """One request; ends the process with 1 where it cannot be carried out, after saying why."""
    question = QUESTIONS.get(request["do"])
    if request["do"] == ASIDE:
        print(json.dumps(probe.ask("aside", request)))
        return
    try:
        with turn(alone=question is None, number=request.get("fence")) as let_in:
            if question:
                print(json.dumps(question(request)))
                return
            from roles.kit.agent import fence  # sent with what is more than a question

            gc.enable()  # off for questions, which are over sooner than it pays
            sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # shown while it works
            fence.enter(request)
            if request.get("beside"):
                let_in()
            if request["do"] != "claim":
                from roles.kit.agent import step

                getattr(step, f"step_{request['do']}")(request)
    except RemoteError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def _next() -> str:
    signal.alarm(IDLE_SECONDS)  # whose default is to end the process
    sealed = sys.stdin.readline()
    signal.alarm(0)
    return sealed


def _apart(request: Mapping[str, Any]) -> int:
    """Exit status of a process that carries the request out: nothing of it is left for the next one."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # what follows is not for the programs that it starts
        carry_out(request)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(status)


def _end(status: int) -> None:
    for output in (sys.stdout, sys.stderr):
        print(f"\0{status}", file=output, flush=True)
