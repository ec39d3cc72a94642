"""Requests in, answers out. Sent last, and run at once."""

from __future__ import annotations

import binascii
import contextlib
import gc
import json
import os
import sys
import zlib
from collections.abc import Mapping
from typing import Any, NoReturn

from roles.kit.agent.base import RemoteError, turn
from roles.kit.agent.loading import learn

ASIDE = "aside"  # as "ask", beside steps under way: for what must be known while they last
QUESTIONS = ("probe", "traits", "contents", "ask", "times")
CLAIM = "claim"
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
            _leave(0)
        return
    _end(0)
    while sealed := _next():
        request = opened(sealed)
        for name, source in request.pop("modules"):
            learn(name, source)
        _end(_apart(request))


def opened(sealed: str) -> dict[str, Any]:
    """A request as it was before it became a line."""
    request: dict[str, Any] = json.loads(zlib.decompress(binascii.a2b_base64(sealed)))
    return request


def carry_out(request: Mapping[str, Any]) -> None:
    """One request; ends the process with 1 where it cannot be carried out, after saying why."""
    do = request["do"]
    if do == ASIDE:
        print(json.dumps(answer(request)))
        return
    try:
        with turn(alone=do not in QUESTIONS, number=request.get("fence")) as let_in:
            if do in QUESTIONS:
                print(json.dumps(answer(request)))
                return
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


def _next() -> str:
    import signal

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
        _leave(status)


def _leave(status: int) -> NoReturn:
    """End now: nothing is left to be done, and Python would tidy up for 2 to 4 ms."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(status)


def _end(status: int) -> None:
    for output in (sys.stdout, sys.stderr):
        print(f"\0{status}", file=output, flush=True)
