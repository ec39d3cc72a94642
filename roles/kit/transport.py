"""How requests reach the agent on a host: one command, everything else over standard input."""

from __future__ import annotations

import base64
import json
import socket
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import gevent
from gevent.event import AsyncResult
from paramiko import SSHException
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS, pop_global_arguments
from pyinfra.api.command import PyinfraCommand, StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.context import ctx_host, ctx_state

from roles.kit.lean import lean
from roles.kit.permit import permit
from roles.kit.progress import progress

AGENT = Path(__file__).with_name("agent")
# What starts the modules, then each one's name and source: as parts of a text, since Python takes 1.5 ms to read them
# as parts of a program. A shell is given this between quotes of either kind, so it has none of its own.
READ = (
    "import binascii,sys,zlib;"
    "sent=zlib.decompress(binascii.a2b_base64(sys.stdin.readline())).decode().split(chr(0));exec(sent[0])"
)
# Isolated and without site packages: nothing on the host changes what runs, and it starts in 15 ms.
COMMAND = (
    "command -v python3 >/dev/null || "
    '{ cat >/dev/null; echo "python3 is missing: apt-get install python3" >&2; exit 1; }; '
    f'exec python3 -ISc "{READ}"'
)
CUT_OFF = (OSError, EOFError, SSHException)  # what a connection raises that is no more

# A host whose kernel has said nothing for half a minute is gone: asked after 10 s, then every 5 s, four times.
SILENCE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 30_000}

BOOT = """
import gc, sys, types
gc.disable()
for name in ("roles", "roles.kit", "roles.kit.agent"):
    sys.modules[name] = types.ModuleType(name)
for name, source in zip(sent[1::2], sent[2::2]):
    module = sys.modules["roles.kit.agent." + name] = types.ModuleType(name)
    setattr(sys.modules["roles.kit.agent"], name, module)
    compiled = getattr(sys.modules.get("roles.kit.agent.loading"), "compiled", None)
    exec(compiled(source, "<agent " + name + ">") if compiled else source, module.__dict__)
"""


# Modules of the agent, each after those that it imports. What a request has no use for stays at home.
ASKING = ("loading", "base", "web", "unread", "bus", "systemd", "check", "probe", "main")
CLAIMING = ("loading", "base", "file", "fence", "main")
CHANGING = ("loading", "base", "web", "unread", "bus", "systemd", "check", "file", "unit", "step", "fence", "main")
QUESTIONS = ("probe", "traits", "contents", "ask", "aside", "times")
SENT = {**dict.fromkeys(QUESTIONS, ASKING), "claim": CLAIMING}


@cache
def _agent(names: tuple[str, ...]) -> str:
    """The agent of these modules as it is sent."""
    sources = [text for name in names for text in (name, lean(AGENT / f"{name}.py"))]
    return base64.b64encode(zlib.compress("\0".join([BOOT, *sources]).encode())).decode()


def lines(request: Mapping[str, Any]) -> list[str]:
    """Standard input for one request: the agent, then the request."""
    return [_agent(SENT.get(request["do"], CHANGING)), _sealed(request)]


def _sealed(request: Mapping[str, Any]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(request).encode(), 1)).decode()


class Question(FactBase[dict[str, Any]]):
    """An answer of the agent; the question goes in as `_stdin=lines(request)`."""

    def command(self) -> str:
        return COMMAND

    @staticmethod
    def default() -> dict[str, Any]:
        return {}

    def process(self, output: list[str]) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(output[-1])
        return answer


class _Awaited(list[str]):
    """Standard input whose second line is written as soon as it is known."""

    def __init__(self, first: str, second: AsyncResult) -> None:
        super().__init__([first])
        self._second = second

    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        yield self._second.get()


class EarlyAgent:
    """An agent that is started when its host is connected, and gets its question once that is planned.

    It starts while the controller plans: two things that each take a core for a tenth of a second.
    """

    def __init__(self, state: Any, host: Any) -> None:
        self._request = AsyncResult()
        self._answer = gevent.spawn(self._run, state, host)

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer; nothing where it could not be had, for whatever reason: ask again, and it will be told."""
        self._request.set(_sealed(request))
        answer: dict[str, Any] = self._answer.get()
        return answer

    def _run(self, state: Any, host: Any) -> dict[str, Any]:
        return send(state, host, _Awaited(_agent(ASKING), self._request))[0]


def send(state: Any, host: Any, stdin: list[str]) -> tuple[dict[str, Any], str]:
    """One request outside of any operation: (the answer, ""), or ({}, why there is none)."""
    known, _ = pop_global_arguments(state, host, {})
    arguments = {key: value for key, value in known.items() if key in CONNECTOR_ARGUMENT_KEYS}
    arguments["_stdin"] = stdin
    try:
        done, output = host.run_shell_command(StringCommand(COMMAND), **arguments)
        if done:
            return Question().process(output.stdout_lines), ""
        return {}, "\n".join(output.stderr_lines) or "the agent ended without a word"
    except (*CUT_OFF, ValueError, LookupError) as error:
        return {}, f"{type(error).__name__}: {error}"


class Step(PyinfraCommand):
    """One step for the agent. What it prints is shown; its request never is."""

    def __init__(self, title: str, request: Mapping[str, Any], stream: bool = False) -> None:
        super().__init__()
        self.title, self.request, self.stream = title, request, stream

    def __repr__(self) -> str:
        return f"Step({self.title})"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Carry the step out; on failure the agent's words are shown with the host's name."""
        request = {**self.request, "fence": permit.show()}
        arguments = {**connector_arguments, "_stdin": lines(request)}
        loud = self.stream or state.print_output
        done = False
        said: list[str] = []
        with progress.step(host.name, self.title), suppress(*CUT_OFF):
            done, output = host.run_shell_command(
                StringCommand(COMMAND), print_output=loud, print_input=False, **arguments
            )
            said = output.stderr_lines or output.stdout_lines
        if not done and not loud:
            for line in said:
                host.log_styled(f"{self.title}: {line}", fg="red")
        if not done and not said:
            host.log_styled(
                f"{self.title}: the connection was lost before it ended. What was begun may go on there; once "
                f"{host.name} can be reached, run this again",
                fg="red",
            )
        return bool(done)


def keepalive_transport(sock: socket.socket, **kwargs: Any) -> Any:
    """Paramiko's transport, on a socket without Nagle's algorithm: 48 ms a command become 4.

    A host that died in the middle of a step says nothing any more, and a kernel by itself would wait for two hours.
    """
    import paramiko

    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in SILENCE.items():
        if option := getattr(socket, name, None):  # not every system has all of them
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
    return paramiko.Transport(sock, **kwargs)


class Begun(PyinfraCommand):
    """Steps that are carried out one after the other while the run goes on."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__()
        self.steps = steps
        self.outcome: gevent.Greenlet | None = None
        self.entries: list[Any] = []  # in the journal of the run

    def __repr__(self) -> str:
        return f"Begun({self.steps})"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Begin, and be done with it."""

        def work() -> bool:
            with ctx_state.use(state), ctx_host.use(host):
                return all(step.execute(state, host, connector_arguments) for step in self.steps)

        self.outcome = gevent.spawn(work)
        return True


class Awaited(PyinfraCommand):
    """The end of steps that were begun."""

    def __init__(self, begun: Begun) -> None:
        super().__init__()
        self.begun = begun

    def __repr__(self) -> str:
        return f"Awaited({self.begun})"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Whether they succeeded; what failed was shown as it happened."""
        return self.begun.outcome is not None and bool(self.begun.outcome.get())
