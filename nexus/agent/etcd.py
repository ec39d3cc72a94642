"""A client of etcd's JSON gateway, over TLS with the host's own certificate. Standard library only."""

import json
from collections.abc import Mapping
from http.client import HTTPSConnection
from typing import Any

from nexus.agent import http
from nexus.agent.lib import RemoteError
from nexus.agent.tls import mutual


class Etcd:
    """A client of one member; `endpoint` is ADDRESS:PORT, `tls` names the files ca, certificate and key."""

    def __init__(self, endpoint: str, tls: Mapping[str, str], timeout: float = 5) -> None:
        self.endpoint, self.timeout = endpoint, timeout
        self.context = mutual(tls["ca"], tls["certificate"], tls["key"])

    def ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one call; RemoteError with etcd's message if it refuses or cannot be reached."""
        host, _, port = self.endpoint.rpartition(":")
        connection = HTTPSConnection(host.strip("[]"), int(port), timeout=self.timeout, context=self.context)
        headers = {"Content-Type": "application/json"}
        try:
            reply = http.ask(connection, "POST", f"/v3/{path}", headers, json.dumps(body).encode())
        except OSError as error:
            raise RemoteError(f"etcd at {self.endpoint} does not answer: {error}") from None
        text = reply.body.decode(errors="replace")
        try:
            answer: dict[str, Any] = json.loads(text)
        except ValueError:
            raise RemoteError(f"etcd at {self.endpoint} answered {reply.status}: {text[:200]}") from None
        if reply.status != 200:
            raise RemoteError(f"etcd at {self.endpoint}: {answer.get('message') or answer.get('error') or text}")
        return answer

    def members(self, agreed: bool) -> list[dict[str, Any]]:
        """Members as {id, name, peer, client, votes}; `agreed` asks the quorum, otherwise only this member.

        The name is empty for a member that was added and has not started yet.
        """
        listed = self.ask("cluster/member/list", {"linearizable": agreed}).get("members", [])
        return [
            {
                "id": member["ID"],
                "name": member.get("name", ""),
                "peer": ",".join(member.get("peerURLs", [])),
                "client": next((url.split("//")[-1] for url in member.get("clientURLs", [])), ""),
                "votes": not member.get("isLearner", False),
            }
            for member in listed
        ]

    def add(self, peer: str) -> None:
        """Add a member as a learner: it does not count towards the quorum until it is promoted."""
        self.ask("cluster/member/add", {"peerURLs": [peer], "isLearner": True})

    def promote(self, member: str) -> None:
        """Give a vote to a learner that has caught up."""
        self.ask("cluster/member/promote", {"ID": member})

    def move(self, member: str, peer: str) -> None:
        """Change the address at which a member is reached."""
        self.ask("cluster/member/update", {"ID": member, "peerURLs": [peer]})

    def remove(self, member: str) -> None:
        """Remove a member."""
        self.ask("cluster/member/remove", {"ID": member})

    def hand_over(self, member: str) -> None:
        """Let another member lead; only the leader can do that."""
        self.ask("maintenance/transfer-leadership", {"targetID": member})

    def lives(self) -> bool:
        """Whether this member answers at all, with or without a quorum."""
        try:
            self.ask("maintenance/status", {})  # the only call that a learner answers, too
        except RemoteError:
            return False
        return True
