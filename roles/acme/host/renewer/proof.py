"""How an authority is shown that a name is ours: by every edge host over HTTP, or by a record in DNS."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPConnection
from typing import Any, Protocol

from acme import challenges

from nexus.agent import http
from roles.acme.host.renewer.failure import OrderError

Shown = tuple[str, Any, Any]  # name, challenge, account key
SECONDS = 5


class Proof(Protocol):
    """A kind of challenge, and what shows its answers for as long as the authority asks."""

    kind: type[challenges.Challenge]

    def shown(self, wanted: Sequence[Shown]) -> contextlib.AbstractContextManager[None]:
        """Show the answers; OrderError if an authority would not see them."""
        ...


class HttpProof:
    """Every edge host answers every token by itself: only that is looked at, before the authority does."""

    kind: type[challenges.Challenge] = challenges.HTTP01

    def __init__(self, edges: Mapping[str, str], port: int) -> None:
        self.edges, self.port = edges, port

    @contextlib.contextmanager
    def shown(self, wanted: Sequence[Shown]) -> Iterator[None]:
        """Ask each edge host for the first answer. Some may be away if another one answers."""
        said = {}
        for name, challenge, key in wanted[:1]:
            said = {host: self._answer(address, name, challenge.path) for host, address in self.edges.items()}
            right = challenge.key_authorization(key)
            wrong = [host for host, answer in said.items() if answer not in (right, None)]
            if wrong:
                raise OrderError(
                    f"{', '.join(wrong)}: port {self.port} does not answer challenges of this account: run "
                    "deploys/edge.py"
                )
            if right not in said.values():
                raise OrderError(f"no edge host answers at port {self.port}: {', '.join(self.edges)}")
        yield

    def _answer(self, address: str, name: str, path: str) -> str | None:
        """The answer of an edge host; None where it does not answer at all."""
        connection = HTTPConnection(address, self.port, timeout=SECONDS)
        try:
            reply = http.ask(connection, "GET", path, {"Host": name}, most=1000)
        except OSError:
            return None
        return reply.body.decode(errors="replace").strip() if reply.status == 200 else f"status {reply.status}"
