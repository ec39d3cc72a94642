"""Alarms of etcd. NOSPACE, by which nobody writes any more, is cleared: old revisions go, files shrink, it is disarmed.

That loses nothing: revisions before the current one are dropped by etcd itself after a while. CORRUPT is told: whose
data is wrong, and with it who is primary of PostgreSQL, only a person can decide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nexus.agent import http
from nexus.agent.etcd import Etcd
from nexus.agent.lib import RemoteError

Item = Mapping[str, Any]
NOSPACE = "NOSPACE"
ASK_SECONDS, WORK_SECONDS = 3, 60


def alarm(context: Item) -> str:
    """The alarm that this member tells of, "" where there is none or nobody can be asked: without TLS, on loopback."""
    if not context["metrics_port"]:
        return ""
    try:
        answer = http.get(context["metrics_port"], "/health?serializable=true", ASK_SECONDS)
        reason = str(json.loads(answer.body).get("reason", ""))
    except (OSError, ValueError):
        return ""
    return reason.removeprefix("ALARM ") if reason.startswith("ALARM ") else ""


def obstacle(found: str, context: Item) -> str:
    """What a person has to do about an alarm that no run clears; "" for the others."""
    if found in ("", NOSPACE):
        return ""
    tls = context["tls"]
    options = f"--cacert {tls['ca']} --cert {tls['certificate']} --key {tls['key']}"
    options += f" --endpoints https://{context['own']}"
    return (
        f"etcd has raised the alarm {found}: its members do not hold the same data, so nobody can rely on who is "
        f"primary. There: etcdctl {options} endpoint hashkv --cluster shows which one differs. Stop etcd on that host "
        f"and move {context['directory']} away, then: etcdctl {options} alarm disarm; and run this again, which lets "
        "that host join with a copy"
    )


def make_room(context: Item) -> None:
    """Drop what is only history, give the room back on every member in turn, and let them write again."""
    own = Etcd(context["own"], context["tls"], WORK_SECONDS)
    told = own.ask("maintenance/status", {})
    try:
        own.ask("kv/compaction", {"revision": told["header"]["revision"], "physical": True})
    except RemoteError as error:
        if "compacted" not in str(error):
            raise
    for endpoint in (context["own"], *context["others"].values()):
        Etcd(endpoint, context["tls"], WORK_SECONDS).ask("maintenance/defragment", {})  # it answers nobody meanwhile
    size = int(own.ask("maintenance/status", {}).get("dbSize", 0))
    if size >= context["quota_bytes"]:
        raise RemoteError(
            f"etcd holds {size} bytes of current data and may hold {context['quota_bytes']}: raise "
            "etcd_quota_bytes, or delete what does not belong there, then run again"
        )
    for raised in own.ask("maintenance/alarm", {"action": "GET"}).get("alarms", []):
        if raised.get("alarm") == NOSPACE:
            own.ask("maintenance/alarm", {"action": "DEACTIVATE", "memberID": raised["memberID"], "alarm": NOSPACE})
    print(f"etcd had no room left: it was compacted and holds {size} bytes now")
