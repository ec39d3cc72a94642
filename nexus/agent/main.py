"""Requests in, answers out. Sent last, and run at once."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import sys
import zlib
from collections.abc import Mapping
from typing import Any

from nexus.agent import kernel
from nexus.agent.importer import learn, load
from nexus.agent.lib import RemoteError, show_all
from nexus.agent.turn import turn

QUESTIONS = ("probe", "traits", "contents", "ask", "times", "foresee", "standing")
CLAIM, ACTION = "claim", "action"
IDLE_SECONDS = 3600  # a run whose end was never heard of does not leave its agent for ever


def main(stays: bool) -> None:
    """Carry out the request on standard input; where it `stays`, one after the other until there are no more.

    Its output is one line of JSON for a question, what a step or an action has to say otherwise, and then the answer of
    an action that has one. An agent that stays ends each with a line of its exit status, on both of its outputs, and
    begins with one that says that it is there.
    """
    os.umask(0o022)
    for output in (sys.stdout, sys.stderr):
        output.reconfigure(errors="replace")  # type: ignore[union-attr]  # what is told is shown, whatever its bytes
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
    try:
        _carry_out(request)
    except RemoteError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        if request.get("debug"):
            sys.excepthook(*sys.exc_info())
        print(kernel.explained(error) if isinstance(error, OSError) else unexpected(error), file=sys.stderr)
        sys.exit(1)


def _carry_out(request: Mapping[str, Any]) -> None:
    do = request["do"]
    if do == ACTION and not request["alone"]:
        act(request)
        return
    with turn(alone=do not in QUESTIONS, number=request.get("fence")) as let_in:
        if do in QUESTIONS:
            print(json.dumps(answer(request)))
            return
        from nexus.agent import fence

        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # shown while it works
        fence.enter(request)
        if request.get("beside"):
            let_in()
        if request.get("debug"):
            show_all()
        if do == ACTION:
            act(request)
        elif do != CLAIM:
            from nexus.agent import step

            getattr(step, f"step_{do}")(request)


def act(request: Mapping[str, Any]) -> None:
    """Call the function that an action names; what it returns is its answer, None where it has none."""
    function = load(request["name"], request["source"], request["libraries"])[request["function"]]
    if (answer := function(request["context"])) is not None:
        print(json.dumps(answer))


def unexpected(error: Exception) -> str:
    """One line for an error that nobody has thought of: its type, where in our code it was raised, and what it says."""
    place, trace = "", error.__traceback__
    while trace:
        if (name := trace.tb_frame.f_code.co_filename).startswith("<"):
            place = f"{name[1:-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    said = " ".join(str(error).split())[:300]
    return f"unexpected {type(error).__name__} in {place}: {said} (-v shows the traceback; report it)"


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a question; what it takes is not sent with steps and claims."""
    from nexus.agent import probe

    do = request["do"]
    if do == "probe":
        return probe.probe(request)
    if do == "traits":
        return probe.traits()
    if do == "contents":
        return {"contents": probe.contents(request["paths"])}
    if do == "times":
        from nexus.agent import since

        return since.times(request)
    if do == "standing":
        return probe.standing(request)
    if do == "foresee":
        from nexus.agent import apt

        return apt.foreseen(request["packages"])
    return probe.ask(do, request)


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
        os._exit(status)  # a forked process has nothing to tidy up, and no thread that still waits holds it up


def _end(status: int) -> None:
    for output in (sys.stdout, sys.stderr):
        print(f"\0{status}", file=output, flush=True)
