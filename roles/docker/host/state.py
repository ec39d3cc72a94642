"""The running engine: its containers reach the network, none of them is paused, and it uses its configuration."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from nexus.agent.change import Change
from nexus.agent.iptables import Rules, rules
from nexus.agent.lib import RemoteError, refusal, run
from nexus.agent.wait import tries
from roles.docker.host.client import Docker
from roles.docker.host.effective import differences
from roles.docker.host.firewall import FORWARD, down, forwards, lacking, refused, unaddressed
from roles.docker.host.planned import CONTAINERS, ENGINE, NETWORK, PLANNED

PROBE_SECONDS = 20
READY_SECONDS = 120
Networks = Sequence[Mapping[str, Any]]


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What differs from the plan. Nothing does where the engine does not answer: its unit and the swarm report that."""
    found = {name: dict(item) for name, item in PLANNED.items()}
    docker = Docker(timeout=PROBE_SECONDS)
    try:
        networks, stopped = _networks(docker), _paused(docker)
        used = differences(docker, context)
    except (OSError, RemoteError):
        return found
    if words := _lacking(rules(), networks):
        restart = "restart: " if _needs_restart(rules(), networks) else ""
        found[NETWORK] = {"kernel": words, "how": f"{restart}containers cannot reach the network, missing: {words}"}
    if drops := refused(rules(), networks):
        found[NETWORK]["told"] = f"a rule of others drops packets of containers: {'; '.join(drops)}"
    if stopped:
        words = ", ".join(sorted(stopped.values()))
        found[CONTAINERS] = {"paused": words, "how": f"paused by hand: {words}"}
    found[ENGINE] |= used
    return found


def apply(change: Change) -> None:
    """Use the mildest means: the kernel's switches, a reload, and a restart only for lost rules or bridges."""
    changed = change.changed
    docker = Docker(timeout=PROBE_SECONDS)
    if ENGINE in changed:
        run(["systemctl", "reload", "docker.service"], timeout=60)
    if CONTAINERS in changed:
        for identity in _paused(docker):
            docker.do("let a container continue", "POST", f"/containers/{identity}/unpause")
    if NETWORK in changed:
        _open(docker, change.context)
    if ENGINE in changed and (left := differences(docker, change.context).get("how")):
        raise RemoteError(f"the engine was reloaded but still does not use {change.context['path']}: {left}")


def _networks(docker: Docker) -> Networks:
    return docker.list("networks", driver=["bridge"])


def _paused(docker: Docker) -> dict[str, str]:
    """{id: name} of paused containers."""
    query = quote('{"status": ["paused"]}')
    found = docker.do("list containers", "GET", f"/containers/json?filters={query}")
    return {one["Id"]: one["Names"][0].strip("/") for one in found}


def _lacking(found: Rules, networks: Networks) -> str:
    words = lacking(found, networks) + list(down(networks).values())
    words += [f"{name} has lost {address}" for name, address in unaddressed(networks).items()]
    return "; ".join([*words, *([] if forwards() else ["net.ipv4.ip_forward is 0"])])


def _needs_restart(found: Rules, networks: Networks) -> bool:
    return bool(lacking(found, networks)) or any("removed" in words for words in down(networks).values())


def _open(docker: Docker, context: Mapping[str, Any]) -> None:
    """Switch on what the kernel still has. Docker writes its rules only when it starts, so lost ones need a restart."""
    networks = _networks(docker)
    with open(FORWARD, "w") as stream:
        stream.write("1\n")
    for name, words in down(networks).items():
        if "removed" not in words:
            run(["ip", "link", "set", name, "up"])
    for name, address in unaddressed(networks).items():
        run(["ip", "address", "add", address, "dev", name])
    if _needs_restart(rules(), networks):
        _restart(context)
    if words := _lacking(rules(fresh=True), _networks(docker)):
        raise RemoteError(f"docker was restarted but containers still cannot reach the network, missing: {words}")


def _restart(context: Mapping[str, Any]) -> None:
    """Restart the engine."""
    run(["systemctl", "restart", "docker.service"], timeout=300)
    for _ in tries(READY_SECONDS):
        reason = refusal(context["ready"])
        if not reason:
            return
    raise RemoteError(f"docker was restarted but is not ready after {READY_SECONDS} s: {reason}")
