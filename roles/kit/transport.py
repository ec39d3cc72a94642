"""How requests reach the agent on a host: one command, everything else over standard input."""

from __future__ import annotations

import base64
import json
import socket
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pyinfra.api.command import PyinfraCommand, StringCommand
from pyinfra.api.facts import FactBase

from roles.kit.progress import progress

AGENT = Path(__file__).with_name("agent")
# Isolated and without site packages: nothing on the host changes what runs, and it starts in 15 ms.
COMMAND = (
    'command -v python3 >/dev/null || { echo "python3 is missing: apt-get install python3" >&2; exit 1; }; '
    'exec python3 -ISc "import base64,sys,zlib;exec(zlib.decompress(base64.b64decode(sys.stdin.readline())))"'
)


BOOT = """
import sys, types
for name in ("roles", "roles.kit", "roles.kit.agent"):
    sys.modules[name] = types.ModuleType(name)
for name, source in {modules!r}:
    module = sys.modules["roles.kit.agent." + name] = types.ModuleType(name)
    setattr(sys.modules["roles.kit.agent"], name, module)
    exec(compile(source, "<agent " + name + ">", "exec"), module.__dict__)
"""


QUESTIONS = ("probe", "traits", "contents", "ask")


@cache
def _agent(asks: bool) -> str:
    """The agent as it is sent: what only steps need stays at home when a host is merely asked."""
    names = ("base", "probe", "main") if asks else ("base", "probe", "step", "main")
    modules = [(name, (AGENT / f"{name}.py").read_text()) for name in names]
    return base64.b64encode(zlib.compress(BOOT.format(modules=modules).encode())).decode()


def lines(request: Mapping[str, Any]) -> list[str]:
    """Standard input for one request: the agent, then the request."""
    sealed = base64.b64encode(zlib.compress(json.dumps(request).encode(), 1)).decode()
    return [_agent(request["do"] in QUESTIONS), sealed]


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


class Step(PyinfraCommand):
    """One step for the agent. What it prints is shown; its request never is."""

    def __init__(self, title: str, request: Mapping[str, Any], stream: bool = False) -> None:
        super().__init__()
        self.title, self.request, self.stream = title, request, stream

    def __repr__(self) -> str:
        return f"Step({self.title})"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Carry the step out; on failure the agent's words are shown with the host's name."""
        arguments = {**connector_arguments, "_stdin": lines(self.request)}
        loud = self.stream or state.print_output
        with progress.step(host.name, self.title):
            done, output = host.run_shell_command(
                StringCommand(COMMAND), print_output=loud, print_input=False, **arguments
            )
        if not done and not loud:
            for line in output.stderr_lines or output.stdout_lines:
                host.log_styled(f"{self.title}: {line}", fg="red")
        return bool(done)


def no_delay(sock: socket.socket, **kwargs: Any) -> Any:
    """Paramiko transport on a socket without Nagle's algorithm: 48 ms a command become 4."""
    import paramiko

    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return paramiko.Transport(sock, **kwargs)
