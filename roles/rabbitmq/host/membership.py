"""What each node says of its cluster: this host's through its management API, others through their distribution.

Each question to another node starts a virtual machine of Erlang, which takes 0.8 s of a processor.
"""

import re
from collections.abc import Mapping

from nexus.agent.lib import RemoteError, run
from roles.rabbitmq.host.api import Api

COMMAND_SECONDS = 180  # to stop or start the broker's application where processors are busy
STANDING = "{rabbit_nodes:list_members(), rabbit_amqqueue:count()}."


def ask(node: str) -> tuple[list[str], int]:
    """Members of a node's cluster, and the number of queues that it knows."""
    answer = control("eval", STANDING, node=node)
    found = re.fullmatch(r"\{\[(.*)\],\s*(\d+)\}", " ".join(answer.split()))
    if not found:
        raise RemoteError(f"unexpected answer of {node} about its cluster: {answer[:200]}")
    return [name.strip().strip("'") for name in found[1].split(",")], int(found[2])


def own(api: Api) -> tuple[list[str], int]:
    """The same for this host's node, once it has started."""
    return api.started(lambda: ([str(node["name"]) for node in api.get("nodes")], len(api.get("queues"))))


def answers(node: str) -> bool:
    """Whether a node's application runs."""
    try:
        return bool(ask(node))
    except RemoteError:
        return False


def side(node: str) -> set[str]:
    """The nodes that share a node's knowledge of queues and users, the node included."""
    answer = control("eval", "mnesia:system_info(running_db_nodes).", node=node)
    return set(re.findall(r"[^\[\],'\s]+", answer))


def choose(standing: Mapping[str, tuple[list[str], int]], there: list[str]) -> str:
    """Return the node to join, the same on every host; RemoteError if only an operator can decide."""
    largest = max(len(members) for members, _ in standing.values())
    if largest > 1:
        return next(node for node in there if len(standing[node][0]) == largest)
    holders = [node for node in there if standing[node][1]]
    if len(holders) > 1:
        raise RemoteError(
            f"{', '.join(holders)} each hold queues and are in no cluster. Decide whose queues stay; on the other "
            "hosts: rabbitmqctl stop_app; rabbitmqctl reset; rabbitmqctl start_app. Then rerun this deploy"
        )
    return next(iter([*holders, *there]))


def together(standing: Mapping[str, tuple[list[str], int]], me: str, seed: str) -> bool:
    """Whether both nodes count each other as members of one cluster; a node that was made again does not."""
    return me in standing[seed][0] and seed in standing[me][0]


def expect_members(members: list[str], nodes: list[str], seed: str) -> list[str]:
    """Return the members of the seed's cluster; RemoteError if one of these nodes is missing."""
    if missing := set(nodes) - set(members):
        raise RemoteError(f"{', '.join(sorted(missing))} did not join {seed}")
    return members


def control(*words: str, node: str | None = None) -> str:
    """Output of rabbitmqctl, for this node or another one of the cluster."""
    return run(["rabbitmqctl", "-q", *(["-n", node] if node else []), *words], timeout=COMMAND_SECONDS)
