"""Publishers with confirms, and a consumer, at the lab's RabbitMQ: every confirmed message must be delivered."""

from __future__ import annotations

import contextlib
import itertools
import ssl
import threading
import time
from dataclasses import dataclass, field

import pika
from control import Control
from inside import inside
from pika.exceptions import AMQPError

SERVICE = "billing-service"  # any service with a virtual host
QUEUE = "scenario"
ERRORS = (AMQPError, OSError, AssertionError)  # pika's own checks of a dying connection are assertions


@dataclass
class Broker:
    """Access to every node from an app host, as the service has it."""

    platform: Control
    pause: float = 0.005  # seconds between two messages of a publisher
    confirmed: list[tuple[str, float]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def connect(self, first: int = 0) -> pika.BlockingConnection:
        """A connection to the first node that accepts one, starting with this node."""
        env = self.platform.planned
        trust = ssl.create_default_context(cafile=str(self.platform.lab.access / "ca.pem"))
        login = pika.PlainCredentials(*env.login("rabbitmq", SERVICE))
        hosts = env.group("rabbitmq")
        places = [
            pika.ConnectionParameters(
                host.address,
                env.setting.rabbitmq_port,
                SERVICE,
                login,
                ssl_options=pika.SSLOptions(trust, host.address),
                socket_timeout=3,
                stack_timeout=6,
                blocked_connection_timeout=10,
                heartbeat=10,
            )
            for host in hosts
        ]
        with inside(self.platform, self.platform.group("app")[0]):
            return pika.BlockingConnection([*places[first % len(places) :], *places[: first % len(places)]])

    def declare(self) -> None:
        """A durable queue as services declare it: its kind is the virtual host's default."""
        with contextlib.closing(self.connect()) as connection:
            channel = connection.channel()
            channel.queue_delete(QUEUE)
            channel.queue_declare(QUEUE, durable=True)

    def publish(self, publishers: int) -> None:
        """Start the publishers, each on another node at first."""
        self._threads = [threading.Thread(target=self._publish, args=(n,)) for n in range(publishers)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all publishers."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _publish(self, number: int) -> None:
        channel, connection, place = None, None, number
        for count in itertools.count():
            if self._stop.is_set():
                break
            identity = f"{number}:{count}"
            try:
                if channel is None:
                    connection = self.connect(place)
                    channel = connection.channel()
                    channel.confirm_delivery()
                channel.basic_publish(
                    "", QUEUE, identity.encode(), pika.BasicProperties(delivery_mode=2), mandatory=True
                )
                self.confirmed.append((identity, time.time()))
                time.sleep(self.pause)
            except ERRORS:
                channel, place = None, place + 1
                if connection is not None:
                    with contextlib.suppress(*ERRORS):
                        connection.close()
                connection = None
                time.sleep(0.2)
        if connection is not None:
            with contextlib.suppress(*ERRORS):
                connection.close()

    def drain(self) -> set[str]:
        """All messages of the queue, which are removed from it."""
        found = set()
        with contextlib.closing(self.connect()) as connection:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=200)
            for method, _, body in channel.consume(QUEUE, inactivity_timeout=3):
                if method is None:
                    break
                found.add(body.decode())
                channel.basic_ack(method.delivery_tag)
            channel.queue_delete(QUEUE)
        return found
