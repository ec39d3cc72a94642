"""The lock in etcd: a key with a lease for the holder, and a key that counts holders. Runs on the host."""

import base64
import contextlib
import json
import os
import time
from typing import Any

from nexus.agent.etcd import Etcd
from nexus.agent.lib import RemoteError

Item = dict[str, Any]
HOLDER, NUMBER = "/nexus-cos/lock/holder", "/nexus-cos/lock/number"
SECONDS = 3  # for one answer: a member without a quorum does not answer at all
FULL = "database space exceeded"  # etcd's own text
PATIENCE_SECONDS = 8  # for the election of a leader, if this host has data of a cluster


class NoRoom(RemoteError):
    """etcd answers but accepts no writes: its alarm NOSPACE is on."""


class Quorum:
    """etcd as this host reaches it; `silent` if it has data here and no member answers for the quorum.

    `settings` is {"endpoints", "tls", "directory"}, or None in an environment without etcd.
    """

    def __init__(self, settings: Item | None) -> None:
        self._settings = settings
        self._etcd: Etcd | None = None
        self._lease = ""
        self.silent = False

    def read(self) -> Item | None:
        """{"number", "holder"} as the quorum has them; None if no quorum answers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            for etcd in self._members():
                with contextlib.suppress(RemoteError):
                    found = self._values(etcd)
                    self._etcd, self.silent = etcd, False
                    return found
            if not self.silent or time.monotonic() > deadline:
                return None
            time.sleep(0.5)

    def put(self, number: int, holder: Item, seconds: int) -> bool:
        """Take the lock with this number if it is free and nobody has had a higher number; whether that succeeded.

        A holder with a lower number was overtaken while there was no quorum.
        Raises NoRoom if etcd is full.
        """
        etcd = self._asked()
        seen = self._values(etcd)
        if (seen["holder"] and seen["holder"]["number"] >= number) or seen["number"] > number:
            return False
        try:
            self._lease = str(etcd.ask("lease/grant", {"TTL": seconds})["ID"])
        except RemoteError as error:
            if FULL in str(error):
                raise NoRoom(str(error)) from None
            raise
        body = {
            "compare": [
                {"key": _coded(key), "target": "MOD", "result": "EQUAL", "mod_revision": revision}
                for key, revision in seen["revisions"].items()
            ],
            "success": [
                _put(HOLDER, json.dumps({**holder, "number": number, "lease": self._lease}), self._lease),
                _put(NUMBER, str(number)),
            ],
        }
        return bool(etcd.ask("kv/txn", body).get("succeeded"))

    def keep_alive(self) -> None:
        """Renew the lease of the holder's key."""
        self._asked().ask("lease/keepalive", {"ID": self._lease})

    def clear(self, number: int) -> None:
        """Free the lock, and set its number. A full etcd still deletes; then the number is in the lock's file alone."""
        free = {"request_delete_range": {"key": _coded(HOLDER)}}
        try:
            self._asked().ask("kv/txn", {"success": [free, _put(NUMBER, str(number))]})
        except RemoteError as error:
            if FULL not in str(error):
                raise
            self._asked().ask("kv/txn", {"success": [free]})

    def _asked(self) -> Etcd:
        if self._etcd is None:
            raise RemoteError("etcd did not answer")
        return self._etcd

    def _members(self) -> list[Etcd]:
        """Members to ask, this host's own first; none before this host has certificates."""
        known = self._settings
        if not known or not all(os.path.exists(path) for path in known["tls"].values()):
            return []
        self.silent = os.path.isdir(f"{known['directory']}/member/wal")
        return [Etcd(endpoint, known["tls"], SECONDS) for endpoint in known["endpoints"]]

    def _values(self, etcd: Etcd) -> Item:
        asked = [{"request_range": {"key": _coded(key)}} for key in (HOLDER, NUMBER)]
        replies = etcd.ask("kv/txn", {"success": asked})["responses"]
        holder, number = (reply["response_range"].get("kvs", [None])[0] for reply in replies)
        found = json.loads(base64.b64decode(holder["value"])) if holder else None
        self._lease = found["lease"] if found else ""
        return {
            "holder": found,
            "number": int(base64.b64decode(number["value"])) if number else 0,
            "revisions": {
                HOLDER: holder["mod_revision"] if holder else "0",
                NUMBER: number["mod_revision"] if number else "0",
            },
        }


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _put(key: str, value: str, lease: str = "0") -> Item:
    return {"request_put": {"key": _coded(key), "value": _coded(value), "lease": lease}}
