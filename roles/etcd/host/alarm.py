"""Alarms of etcd. A run clears NOSPACE, which blocks all writes: it drops old revisions, shrinks files and disarms it.

That loses nothing: etcd itself drops revisions before the current one after a while. A run only reports CORRUPT: only
a person can decide which data is wrong, and with it which PostgreSQL is primary.
"""

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
    """The alarm that this member reports on loopback, without TLS; "" if there is none or it does not answer."""
    if not context["metrics_port"]:
        return ""
    try:
        answer = http.get(context["metrics_port"], "/health?serializable=true", ASK_SECONDS)
        reason = str(json.loads(answer.body).get("reason", ""))
    except (OSError, ValueError):
        return ""
    return reason.removeprefix("ALARM ") if reason.startswith("ALARM ") else ""


def obstacle(found: str, context: Item) -> str:
    """What a person must do about an alarm that no run clears; "" for the others."""
    if found in ("", NOSPACE):
        return ""
    tls = context["tls"]
    options = f"--cacert {tls['ca']} --cert {tls['certificate']} --key {tls['key']}"
    options += f" --endpoints https://{context['own']}"
    return (
        f"etcd has raised the alarm {found}: its members do not hold the same data, so the primary that they name is "
        f"unreliable. Run there: etcdctl {options} endpoint hashkv --cluster, which shows the member that differs. "
        f"Stop etcd on that host and move {context['directory']} away, then run: etcdctl {options} alarm disarm. Then "
        "rerun this deploy, which lets that host join with a copy"
    )


def make_room(context: Item) -> None:
    """Drop old revisions, free the space on every member in turn, and allow writes again."""
    own = Etcd(context["own"], context["tls"], WORK_SECONDS)
    told = own.ask("maintenance/status", {})
    try:
        own.ask("kv/compaction", {"revision": told["header"]["revision"], "physical": True})
    except RemoteError as error:
        if "compacted" not in str(error):
            raise
    for endpoint in (context["own"], *context["others"].values()):
        Etcd(endpoint, context["tls"], WORK_SECONDS).ask("maintenance/defragment", {})  # it does not answer meanwhile
    size = int(own.ask("maintenance/status", {}).get("dbSize", 0))
    if size >= context["quota_bytes"]:
        raise RemoteError(
            f"etcd holds {size} bytes of current data and may hold {context['quota_bytes']}: raise "
            "etcd_quota_bytes, or delete keys that do not belong there. Then rerun this deploy"
        )
    for raised in own.ask("maintenance/alarm", {"action": "GET"}).get("alarms", []):
        if raised.get("alarm") == NOSPACE:
            own.ask("maintenance/alarm", {"action": "DEACTIVATE", "memberID": raised["memberID"], "alarm": NOSPACE})
    print(f"etcd had no room left: it was compacted and holds {size} bytes now")
