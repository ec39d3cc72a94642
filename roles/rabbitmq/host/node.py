"""Whether the node of this host serves its clients: where it listens, its alarms, and whether somebody drained it.

A person who works on a node drains it or suspends its listeners: a run only reports that and never undoes it.
A run resets a limit that was set by hand until the next start.
"""

import pwd
import re
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError, once
from nexus.agent.systemd import units
from nexus.agent.wait import repeat
from roles.rabbitmq.host.api import Api
from roles.rabbitmq.host.membership import control
from roles.rabbitmq.host.planned import PEER_PORT

Item = Mapping[str, Any]
ACCOUNT, UNIT = "rabbitmq", "rabbitmq-server"
TOOLS = 32768  # command-line tools open ports from here on for a moment
LISTENS = "0A"
ORDERED = "{rabbit:is_running(), rabbit_maintenance:is_being_drained_consistent_read(node())}."
LIMITS = "[vm_memory_monitor:get_memory_limit(), rabbit_disk_monitor:get_disk_free_limit()]."
CLEARED_SECONDS = 15  # the broker looks at its disk every ten seconds
ADVICE = {
    "memory": "free memory, or raise rabbitmq_memory_percent: `rabbitmq-diagnostics memory_breakdown` there shows what "
    "uses it",
    "disk space": "free disk space below /var/lib/rabbitmq there, or lower rabbitmq_disk_free_limit_mb",
}


def listeners() -> list[int]:
    """Ports at which the broker's processes listen, according to the kernel."""
    try:
        owner = str(pwd.getpwnam(ACCOUNT).pw_uid)
    except KeyError:
        return []
    found = set()
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path, errors="replace") as stream:
            for words in map(str.split, stream):
                if words[3] == LISTENS and words[7] == owner:
                    found.add(int(words[1].rpartition(":")[2], 16))
    return sorted(port for port in found if port < TOOLS)


def closed(context: Item) -> str:
    """An order that keeps all clients out of a running node, and the command that ends it; "" if there is none."""

    def ask() -> str:
        if units([UNIT])[UNIT]["ActiveState"] not in ("active", "reloading"):
            return ""
        try:
            said = control("eval", ORDERED)
        except RemoteError:
            return ""
        if "{true,true}" in re.sub(r"\s", "", said):
            return (
                f"{context['node']} is drained (maintenance mode) and accepts no clients. Once the work on it is done, "
                "run there: rabbitmq-upgrade revive"
            )
        if "{true,false}" in re.sub(r"\s", "", said) and not set(listeners()) - {PEER_PORT}:
            return (
                f"the listeners of {context['node']} are suspended, so it accepts no clients. Once the work on it is "
                "done, run there: rabbitmqctl resume_listeners"
            )
        return ""

    found: str = once(ask, "rabbitmq", "closed")
    return found


def condition(api: Api, context: Item) -> dict[str, Any]:
    """Where the node listens, and alarms for which it blocks publishers; an obstacle if only a person can help."""
    found: dict[str, Any] = {"listeners": listeners(), "alarms": api.alarms()}
    if found["alarms"] and not changed_limits(context):
        advice = "; ".join(ADVICE.get(alarm, "see `rabbitmqctl status` there") for alarm in found["alarms"])
        what = f"{context['node']} blocks all publishers because of its alarm {' and '.join(found['alarms'])}"
        found["obstacle"] = f"{what}: {advice}"
    return found


def changed_limits(context: Item) -> list[tuple[str, ...]]:
    """Arguments of rabbitmqctl that reset limits which are not as planned."""
    said = re.findall(r"\d+", control("eval", LIMITS))
    memory, disk = (str(context["limits"][name]) for name in ("memory", "disk"))
    words = {("set_vm_memory_high_watermark", "absolute", memory): memory, ("set_disk_free_limit", disk): disk}
    return [command for (command, wanted), found in zip(words.items(), said, strict=True) if wanted != found]


def serve(api: Api, wanted: Item, context: Item) -> None:
    """Set limits as planned; RemoteError if the node still blocks publishers or does not listen as planned."""
    if api.alarms():
        for words in changed_limits(context):
            control(*words)
            print(f"{context['node']}: {' '.join(words)}")

    def expect_no_alarm() -> None:
        if alarms := api.alarms():
            raise RemoteError(f"{context['node']}: {'; '.join(ADVICE.get(alarm, alarm) for alarm in alarms)}")

    repeat(expect_no_alarm, CLEARED_SECONDS)
    ports = listeners()
    if missing := sorted(set(wanted["listeners"]) - set(ports)):
        raise RemoteError(
            f"{context['node']} does not listen at {', '.join(map(str, missing))}: see `journalctl -u {UNIT}` there; "
            "rabbitmqctl resume_listeners opens suspended listeners"
        )
    if more := sorted(set(ports) - set(wanted["listeners"])):
        raise RemoteError(
            f"{context['node']} listens at {', '.join(map(str, more))}, which is not planned and may be without TLS: "
            "see `rabbitmq-diagnostics listeners` there. Remove it from the files in /etc/rabbitmq/conf.d, from "
            "/etc/rabbitmq/advanced.config or from the plugins, and restart the broker"
        )
