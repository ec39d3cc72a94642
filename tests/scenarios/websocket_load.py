"""WebSockets through the edge that stay open, and each of which is asked for an echo every second."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Sequence
from typing import Any

from control import Control
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

PATH = "/api/sessions/"
ANSWER_SECONDS = 15
OPENING = 10  # at the same time


class WebSockets:
    """A number of open WebSockets within a context. `broken` has a reason for each one that ended or gave no echo."""

    def __init__(self, control: Control, count: int) -> None:
        env = control.planned
        self.address, self.port = control.lab.host(control.group("edge")[0]).address, int(env.setting.nginx_https_port)
        self.name, self.count = f"api.{env.setting.domain}", count
        self.tls = ssl.create_default_context(cadata=env.tls.certificate)
        self.broken = list[str]()
        self.echoes = 0
        self.opened, self.ended = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._work()), daemon=True)

    def __enter__(self) -> WebSockets:
        self.thread.start()
        assert self.opened.wait(120), f"{self.count} WebSockets do not open: {self.broken[:3]}"
        return self

    def __exit__(self, *_: Any) -> None:
        self.ended.set()
        self.thread.join()

    async def _work(self) -> None:
        limit = asyncio.Semaphore(OPENING)
        there = await asyncio.gather(*(self._open(limit) for _ in range(self.count)))
        connections = [each for each in there if each]
        if len(connections) == self.count:
            self.opened.set()
        await self._ask(connections)

    async def _open(self, limit: asyncio.Semaphore) -> ClientConnection | None:
        async with limit:
            try:
                return await connect(
                    f"wss://{self.name}:{self.port}{PATH}socket",
                    host=self.address,
                    ssl=self.tls,
                    server_hostname=self.name,
                    ping_interval=None,
                    proxy=None,
                )
            except (OSError, WebSocketException) as error:
                self.broken.append(f"not opened: {error}")
                return None

    async def _ask(self, connections: Sequence[ClientConnection]) -> None:
        greetings = [connection.recv() for connection in connections]
        await asyncio.gather(*greetings)
        while not self.ended.is_set():
            await asyncio.gather(*(self._echo(each) for each in connections if each.close_code is None))
            await asyncio.sleep(1)
        await asyncio.gather(*(connection.close() for connection in connections))

    async def _echo(self, connection: ClientConnection) -> None:
        text = str(self.echoes)
        try:
            await connection.send(text)
            answer = await asyncio.wait_for(connection.recv(), ANSWER_SECONDS)
        except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
            self.broken.append(f"{type(error).__name__}: {error}")
            await connection.close()
            return
        self.echoes += 1
        if answer != text:
            self.broken.append(f"{answer!r} instead of {text!r}")
