"""Requests in, answers out. This module is sent last, and runs at once."""

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

QUESTIONS = ("probe", "traits", "contents", "ask", "times", "simulate", "standing")
CLAIM, ACTION = "claim", "action"
IDLE_SECONDS = 3600  # then an agent whose run has vanished ends


def main(stays: bool) -> None:
    """Carry out the request on standard input; if the agent `stays`, one after the other until input ends.

    The output is one line of JSON for a question, or the messages of a step or an action followed by the action's
    answer, if it has one. An agent that stays ends each reply with a line that holds the exit status, on both outputs,
    and first writes one such line to say that it is ready.
    """
    os.umask(0o022)
    for output in (sys.stdout, sys.stderr):
        output.reconfigure(errors="replace")  # type: ignore[union-attr]  # messages are shown, whatever bytes they contain
    if not stays:
        if sealed := sys.stdin.readline():  # empty if the run ended before its first request
            carry_out(opened(sealed))
        return
    _end(0)
    while sealed := _next():
        request = opened(sealed)
        for name, source in request.pop("modules"):
            learn(name, source)
        _end(_in_child(request))


def opened(sealed: str) -> dict[str, Any]:
    """The request in a line."""
    request: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(sealed)))
    return request


def carry_out(request: Mapping[str, Any]) -> None:
    """Carry out one request; if that fails, print the reason and exit with 1."""
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
    with turn(alone=do not in QUESTIONS, number=request.get("fence")) as allow_parallel:
        if do in QUESTIONS:
            print(json.dumps(answer(request)))
            return
        from nexus.agent import fence

        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # shown while the step runs
        fence.enter(request)
        if request.get("parallel"):
            allow_parallel()
        if request.get("commands"):
            show_all()
        if do == ACTION:
            act(request)
        elif do != CLAIM:
            from nexus.agent import step

            getattr(step, f"step_{do}")(request)


def act(request: Mapping[str, Any]) -> None:
    """Call the function that an action names, and print its answer unless that is None."""
    function = load(request["name"], request["source"], request["libraries"])[request["function"]]
    if (answer := function(request["context"])) is not None:
        print(json.dumps(answer))


def unexpected(error: Exception) -> str:
    """One line for an unexpected error: its type, the place in our code that raised it, and its text."""
    place, trace = "", error.__traceback__
    while trace:
        if (name := trace.tb_frame.f_code.co_filename).startswith("<"):
            place = f"{name[1:-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    said = " ".join(str(error).split())[:300]
    return f"unexpected {type(error).__name__} in {place}: {said} (-v shows the traceback; report it)"


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a question. Its modules are imported here: they are not sent with steps and claims."""
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
    if do == "simulate":
        from nexus.agent import apt

        return apt.foreseen(request["packages"])
    return probe.ask(do, request)


def _next() -> str:
    signal.alarm(IDLE_SECONDS)  # by default SIGALRM ends the process
    sealed = sys.stdin.readline()
    signal.alarm(0)
    return sealed


def _in_child(request: Mapping[str, Any]) -> int:
    """Exit status of a child process that carries out the request, so that no state is left for the next request."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # programs that it starts must not read later requests
        carry_out(request)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(status)  # nothing to clean up, and no waiting thread delays the exit


def _end(status: int) -> None:
    for output in (sys.stdout, sys.stderr):
        print(f"\0{status}", file=output, flush=True)
