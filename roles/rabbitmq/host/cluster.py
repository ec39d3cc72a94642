"""Membership of this host's node in the cluster, and of the node in every quorum queue.

Nodes join explicitly, one after the other in the inventory's order, so that the same code serves a new
cluster, a larger one and a host that was replaced. The answers of all nodes decide what to join: the largest
cluster, or else the node that holds queues, or else the first. A node that holds queues of its own is never
reset. Nodes talk over their own distribution, which the command-line tools use too.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError, run
from nexus.agent.wait import LateError, repeat
from roles.rabbitmq.host.api import NOT_YET, Api
from roles.rabbitmq.host.membership import (
    COMMAND_SECONDS,
    answers,
    ask,
    choose,
    control,
    expect_members,
    own,
    side,
    together,
)
from roles.rabbitmq.host.node import closed, condition, serve

Item = Mapping[str, Any]


def probe(names: list[str], context: Item) -> dict[str, dict[str, Any]]:
    """Nodes that this one lacks, or should not know, quorum queues without it, and whether it serves its clients."""
    api = Api(context)
    try:
        return api.now(lambda: {**existing(api, context), "node": condition(api, context)}, {})
    except RemoteError:
        if ordered := closed(context):
            return {"node": {"obstacle": ordered}}
        raise


def existing(api: Api, context: Item) -> dict[str, dict[str, Any]]:
    """The items as this host's broker has them."""
    known = {node["name"]: bool(node.get("running")) for node in api.get("nodes")}
    missing = [node for node in context["there"] if node not in known]
    apart = [node for node in context["there"] if known.get(node) is False]  # down, or beyond a partition
    return {
        "membership": {"missing": missing, "apart": apart},
        "quorum queues": {"without this node": len(lacking(api, context))},
        "nodes": {"stale": sorted(known.keys() - set(context["nodes"]))},
    }


def apply(change: Change) -> None:
    """Join, take a share of every quorum queue, forget the nodes of hosts that left, and serve as planned."""
    context = change.context
    api = Api(context)
    wake(api, context)
    if "membership" in change.changed and existing(api, context)["membership"]["missing"]:
        join(api, context)
    if "membership" in change.changed and existing(api, context)["membership"]["apart"]:
        heal(api, context)
    if lacking(api, context):
        take_share(api, context)
    if "nodes" in change.items:  # a node that has just joined knows only now which nodes leave
        for name in existing(api, context)["nodes"]["stale"]:
            forget(api, context, name)
    serve(api, change.items["node"], context)


def wake(api: Api, context: Item) -> None:
    """Start the broker's application if a join that was cut off has left it stopped.

    Not if it stopped because it sees too few of the others: then it starts again once they are back.
    """
    try:
        api.get("nodes")
    except NOT_YET:
        answering = [node for node in context["nodes"] if node == context["node"] or answers(node)]
        if len(answering) * 2 <= len(context["nodes"]):
            raise RemoteError(
                f"RabbitMQ has stopped here, and of {len(context['nodes'])} nodes only {', '.join(answering)} could "
                "run: it pauses while it does not see a majority. Bring the other hosts back online"
            ) from None
        control("start_app")
        api.started(lambda: api.get("nodes"))


def join(api: Api, context: Item) -> None:
    """Make this node a member of the cluster; wait for the others if it is a member, or is the node that they join."""
    me, there = context["node"], context["there"]
    others = {node: wait(context, partial(ask, node)) for node in there if node != me}
    standing = {**others, me: own(api)}
    seed = choose(standing, there)
    before = there[: there.index(me)]
    if together(standing, me, seed):
        with contextlib.suppress(LateError):
            wait(context, lambda: expect_members(own(api)[0], there, seed))
        return
    if standing[me][1]:
        raise RemoteError(
            f"{me} holds {standing[me][1]} queues of its own and is not in the cluster of {seed}: joining would delete "
            "them. Move them away, or run here: rabbitmqctl stop_app; rabbitmqctl reset. Then rerun this deploy"
        )
    try:
        members = wait(context, lambda: expect_members(ask(seed)[0], before, seed))
    except LateError:
        members = ask(seed)[0]
    control("stop_app")
    if me in members:  # the host was replaced: the cluster waits for its former node, of the same name
        control("forget_cluster_node", me, node=seed)
    for words in (("reset",), ("join_cluster", seed), ("start_app",)):
        control(*words)
    api.started(lambda: api.get("nodes"))
    print(f"{me} joined {seed}")


def heal(api: Api, context: Item) -> None:
    """Repair what a partition has left: nodes that see each other again, but keep the state of their own side.

    A minority pauses as soon as it loses the others. If the network comes back at that very moment, no side pauses,
    and from then on each side has its own idea of queues and users. The smaller side restarts and takes over the
    state of the other.
    """
    sides = [wait(context, partial(side, node)) for node in context["there"]]  # nodes that were down are up by now
    whole = max(sides, key=len)  # the first of several, so that every node chooses the same
    if context["node"] not in whole:
        control("stop_app")
        control("start_app")
        print(f"{context['node']} was partitioned from {', '.join(sorted(whole))} and has restarted")

    def expect_whole() -> None:
        if apart := api.started(lambda: existing(api, context))["membership"]["apart"]:
            raise RemoteError(
                f"{context['node']} is still partitioned from {', '.join(apart)}: fix the network between them, or "
                "restart rabbitmq-server on the smaller side. Then rerun this deploy"
            )

    wait(context, expect_whole)


def lacking(api: Api, context: Item) -> list[str]:
    """Quorum queues that have no member on this node."""
    return [
        queue["name"]
        for queue in api.get("queues")
        if queue.get("type") == "quorum" and context["node"] not in queue.get("members", [])
    ]


def take_share(api: Api, context: Item) -> None:
    """Add a member of every quorum queue on this node, then spread leaders over all nodes."""
    run(["rabbitmq-queues", "-q", "grow", context["node"], "all"], timeout=COMMAND_SECONDS)

    def expect_none() -> None:
        if names := lacking(api, context):
            raise RemoteError(f"quorum queues have no member on this node: {', '.join(names[:5])}")

    wait(context, expect_none)
    run(["rabbitmq-queues", "-q", "rebalance", "quorum"], timeout=COMMAND_SECONDS)


def forget(api: Api, context: Item, node: str) -> None:
    """Remove the node of a host that left from every queue and from the cluster; stop it if it runs."""
    running = [entry["name"] for entry in api.get("nodes") if entry.get("running")]
    if too_few := [name for name in context["there"] if name not in running]:
        raise RemoteError(
            f"{node} is to leave, but {', '.join(too_few)} does not run: queues could lose their majority"
        )
    run(["rabbitmq-queues", "-q", "shrink", node, "--errors-only"], timeout=COMMAND_SECONDS)
    with serving_alone(len(running) == 2):
        if node in running:
            # Over the existing connection between the nodes: its host's name may no longer be known here.
            control("eval", f"rpc:call('{node}', rabbit, stop, []).")
        control("forget_cluster_node", node)
    print(f"{node} is no longer a member; its data stays there")


@contextlib.contextmanager
def serving_alone(alone: bool) -> Iterator[None]:
    """Keep the one node that is left of two from pausing: it would take itself for a minority."""
    setting = "application:set_env(rabbit, cluster_partition_handling, {})."
    if alone:
        control("eval", setting.format("ignore"))
    try:
        yield
    finally:
        if alone:
            control("eval", setting.format("pause_minority"))


def wait(context: Item, attempt: Callable[[], Any]) -> Any:
    """The result of an attempt that is repeated while other hosts come up."""
    return repeat(attempt, context["wait_seconds"], f"after {context['wait_seconds']} s", pause=1, role="rabbitmq")
