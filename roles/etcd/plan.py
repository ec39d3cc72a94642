"""etcd on one host: a member of the cluster that the hosts of the group form, one or three."""

from pathlib import Path
from typing import Any, Literal

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, File, State, Unit, User
from roles.certificate.plan import ETCD_CA, ETCD_KEY, ETCD_KEY_GROUP, ETCD_LEAF

SOURCE = Path(__file__).parent / "host/state.py"
CONFIG = "/etc/default/etcd"
INITIAL = "/var/lib/etcd/initial.env"  # how this member joined the cluster; written on the host
DIRECTORY = "/var/lib/etcd/default"
IN_ORDER = ("etcd-.*",)
TLS = {"ca": ETCD_CA, "certificate": ETCD_LEAF, "key": ETCD_KEY}
DROP_IN = "/etc/systemd/system/etcd.service.d/10-nexus-cos.conf"


def plan(env: Environment, host: Host) -> Desired:
    """Plan Debian's etcd, which does not start before it is decided whether it founds or joins."""
    config = env.render("etcd/etcd.j2", host=host, directory=DIRECTORY, tls=TLS)
    return Desired(
        early=(File(DROP_IN, env.render("etcd/service.conf.j2", initial=INITIAL)),),
        packages=("etcd-server", "etcd-client"),
        users=(User("etcd", groups=(ETCD_KEY_GROUP,), home="/var/lib/etcd"),),
        files=(File(CONFIG, config),),
        # Not the leaf: etcd reads it again with every connection.
        units=(Unit("etcd", restart_on=(CONFIG, DROP_IN, ETCD_CA)),),
        states=(_data(env, host), _membership(env, host)),
    )


def notes(env: Environment) -> list[str]:
    """A warning about an even number of members."""
    names = [host.name for host in env.group("etcd")]
    if len(names) % 2:
        return []
    return [
        f"etcd has {len(names)} members ({', '.join(names)}): losing {len(names) // 2} of them stops it, the same as "
        f"with {len(names) - 1}. Add one host to the group etcd, or remove one"
    ]


def endpoints(env: Environment) -> list[str]:
    """ADDRESS:PORT of every member's client side."""
    return [f"{host.address}:{env.setting.etcd_client_port}" for host in env.group("etcd")]


def lock_store(env: Environment) -> dict[str, Any]:
    """How members ask etcd for the lock of the environment; nothing without etcd."""
    known = {host.name: f"{host.address}:{env.setting.etcd_client_port}" for host in env.group("etcd")}
    return {"endpoints": known, "tls": TLS, "directory": DIRECTORY} if known else {}


def peer_url(host: Host) -> str:
    """The URL at which the other members reach this one."""
    return f"https://{host.address}:{host.setting.etcd_peer_port}"


def _context(env: Environment, host: Host) -> dict[str, Any]:
    others = [other for other in env.group("etcd") if other.name != host.name]
    return {
        "name": host.name,
        "peer": peer_url(host),
        "own": f"{host.address}:{env.setting.etcd_client_port}",
        "others": {other.name: f"{other.address}:{env.setting.etcd_client_port}" for other in others},
        "tls": TLS,
        "directory": DIRECTORY,
        "initial": INITIAL,
        "founder": env.speaker("etcd").name,
        "planned": [peer_url(other) for other in env.group("etcd")],
        "wait_seconds": env.setting.etcd_wait_seconds,
        "metrics_port": env.setting.etcd_metrics_port,
        "quota_bytes": env.setting.etcd_quota_bytes,
    }


def _data(env: Environment, host: Host) -> State:
    """Data of a cluster that knows this member; without it the host is made a member before etcd starts."""
    context = {**_context(env, host), "about": "data"}
    items = {"data": {"usable": True}}
    return State("etcd data", SOURCE, items, context=context, before_units=True)


def _membership(env: Environment, host: Host) -> State:
    """This member in the cluster's list; on the speaker also former members.

    Members whose hosts left the inventory are removed, but not by a run that leaves hosts out.
    """
    items = {f"member {host.name}": {"peer": peer_url(host), "votes": True, "alarm": ""}}
    context = {**_context(env, host), "about": "members"}
    removes = host.name == env.speaker("etcd").name and not env.left_out
    extra: Literal["keep", "remove"] = "remove" if removes else "keep"
    return State("etcd members", SOURCE, items, context=context, extra=extra)
