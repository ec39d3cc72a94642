"""Questions to each host besides the general look: the parts of remote/ that fit its roles, and their requests.

A host is given only credentials that the plan puts on it anyway, or with which clients log in at its stores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hosts import store_question
from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired
from roles.certificate.door import Door
from roles.certificate.plan import CA, ETCD_KEY, ETCD_LEAF, KEY, LEAF
from roles.certificate.status import all_doors
from roles.elk import account
from roles.elk.host import state
from roles.elk.search import stream
from roles.health.plan import probes
from roles.rabbitmq.users import ADMIN as BROKER_ADMIN
from roles.registry.plan import login
from roles.service.stack import NAME as STACK
from roles.storage.plan import inner_port, server

REMOTE = Path(__file__).parent / "remote"
COMMAND = "python3 -ISB -"
SEARCHED = ("/etc", "/usr/local", "/opt", "/srv", "/tmp", "/var/tmp", "/var/lib/nexus-cos", "/var/log", "/run")
SECRET_BYTES_MIN = 12
BROKER = ("vhosts", "users", "permissions", "policies", "exchanges/events", "nodes", "queues")

Requests = dict[str, dict[str, Any]]


def program(requests: Requests) -> str:
    """A Python program that carries out the requests and prints the answers, for a host's standard input."""
    parts = {
        name: {"name": name, "source": (REMOTE / f"{name}.py").read_text(), "request": request}
        for name, request in requests.items()
    }
    return f"{(REMOTE / 'run.py').read_text()}\nmain(json.loads({json.dumps(parts)!r}))\n"


def requests(env: Environment, host: Host, everywhere: Mapping[str, Mapping[str, Desired]]) -> Requests:
    """Requests by part for one host; `everywhere` holds the plans of all hosts by host and role."""
    planned = everywhere[host.name]
    found: Requests = {"port": {"ports": _closed(env, host)}}
    for part, (role, ask) in store_question.PARTS.items():
        if role in planned:
            found[part] = ask(env, host)
    if planned.get("storage") and planned["storage"].units:
        found["storage"] = store_question.storage(env)
    if planned.get("backup") and planned["backup"].units:
        found["backup"] = store_question.backup(env, host)
    found["certificate"] = {"doors": [_door(door) for door in all_doors(env, host)]}
    if "docker" in planned:
        found["docker"] = {"networks": ["docker_gwbridge", "nexus"], "stack": STACK}
    if web := _web(env, host, planned):
        found["web"] = {"requests": web}
    held = [*planned.values(), *_of_tasks(host, everywhere)]
    found["secret"] = _secret(env, held, json.dumps(found))
    return found


def _door(door: Door) -> dict[str, Any]:
    key = ETCD_KEY if door.leaf == ETCD_LEAF else KEY
    place = {"name": str(door), "address": door.address, "port": door.port, "asks first": door.asks_first}
    return {**place, "file": door.leaf, "own": [ETCD_LEAF if door.leaf == ETCD_LEAF else LEAF, key]}


def _of_tasks(host: Host, everywhere: Mapping[str, Mapping[str, Desired]]) -> list[Desired]:
    """Plan of the services, whose secrets each app host is given with its tasks."""
    if "app" not in host.groups:
        return []
    return [plan["service"] for plan in everywhere.values() if "service" in plan]


def router_ports(edge: Host) -> list[int]:
    """Ports of the router, which no other host may reach."""
    return [int(edge.setting.router_port), int(edge.setting.router_metrics_port)]


def _closed(env: Environment, host: Host) -> list[tuple[str, int]]:
    """Ports on other hosts that are for these alone, each with one there that must be open, or it proves nothing."""
    ports = {edge.address: [*router_ports(edge), int(edge.setting.nginx_https_port)] for edge in env.group("edge")}
    if (storage := server(env)) and storage.address != host.address:
        ports.setdefault(storage.address, []).extend([inner_port(env), int(env.setting.storage_port)])
    if "edge" in host.groups:
        ports = {address: numbers for address, numbers in ports.items() if storage and address == storage.address}
    return [(address, port) for address, numbers in ports.items() for port in numbers]


def _secret(env: Environment, held: Iterable[Desired], asked: str) -> dict[str, Any]:
    """Values that this host holds or was just given, and where everybody there could read them."""
    plans = list(held)
    files = [file for plan in plans for file in (*plan.early, *plan.files)]
    states = [state for plan in plans for state in plan.states]
    texts = [asked, *(file.data.decode(errors="replace") for file in files)]
    texts += [repr((dict(state.context), state.payload and dict(state.payload))) for state in states]
    kept = [name for name in env.secrets.names() if not name.endswith("/ca-certificate")]
    named = {name: str(env.secrets.optional(name)) for name in kept}
    values = {name: _parts(text) for name, text in named.items()}
    values = {name: parts for name, parts in values.items() if any(part in text for part in parts for text in texts)}
    keys = {file.path: _parts(file.data.decode()) for file in files if file.secret and b"PRIVATE KEY" in file.data}
    return {"values": values | keys, "directories": [*SEARCHED, str(env.setting.log_directory)]}


def _parts(text: str) -> list[str]:
    """Lines of a secret that are long enough to be no chance finding."""
    return [line for line in text.splitlines() if len(line) >= SECRET_BYTES_MIN and "-----" not in line][:3]


def _web(env: Environment, host: Host, planned: Mapping[str, Desired]) -> dict[str, Any]:
    def local(path: str, port: int, **more: Any) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": port, "path": path, **more}

    setting = host.setting
    found: dict[str, Any] = {}
    if "rabbitmq" in planned:
        admin = [BROKER_ADMIN, env.secret("rabbitmq/admin")]
        port = setting.rabbitmq_management_port
        found |= {f"rabbitmq {what}": local(f"/api/{what}", port, login=admin) for what in BROKER}
        for service in env.catalogue.services_of_store("rabbitmq")[:1]:
            one = list(env.login("rabbitmq", service.name))
            found["rabbitmq management as a service"] = local("/api/whoami", port, login=one)
        found["rabbitmq management as guest"] = local("/api/whoami", port, login=["guest", "guest"])
    if "nginx" in planned:
        found["nginx config"] = local("/config", setting.nginx_status_port)
    if "router" in planned:
        found["router health"] = local("/health", setting.router_port)
        for name, path in probes(env).items():
            headers = {"X-Nexus-Service": name, "Host": name}
            found[f"ready {name}"] = local(path, setting.router_port, headers=headers)
    if planned.get("registry") and planned["registry"].units:
        found |= _registry(env, planned)
    if planned.get("elk") and planned["elk"].units:
        found |= _elk(env, planned["elk"])
    return found


def _elk(env: Environment, planned: Desired) -> dict[str, Any]:
    login = [account.ADMIN, env.secret(account.SECRETS[account.ADMIN])]
    local = {"host": "127.0.0.1", "ca": CA, "login": login}
    place = {name: {**local, "port": env.setting[f"{name}_port"]} for name in ("elasticsearch", "kibana")}
    paths = {"elasticsearch": state.address, "kibana": lambda name: f"/api/saved_objects/{name.replace(' ', '/')}"}
    asked = [(kind.name, name) for kind in planned.states for name in kind.items]
    found: dict[str, Any] = {f"{kind} {name}": {**place[kind], "path": paths[kind](name)} for kind, name in asked}
    found["elasticsearch lines"] = {**place["elasticsearch"], "path": f"/{stream(env)}/_count"}
    return found


def _registry(env: Environment, planned: Mapping[str, Desired]) -> dict[str, Any]:
    user, password = login(env)
    place = {"host": "127.0.0.1", "port": env.setting.registry_port, "ca": CA}
    found: dict[str, Any] = {
        "registry with password": {**place, "path": "/v2/", "login": [user, password]},
        "registry without password": {**place, "path": "/v2/"},
        "registry with wrong password": {**place, "path": "/v2/", "login": [user, "wrong"]},
        "registry without TLS": {**place, "path": "/v2/", "ca": None},
    }
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    for images in planned["image"].states:
        for name, wanted in images.items.items():
            for kind, tag in (("release", env.setting.release), ("content", f"content-{wanted['content']}")):
                path = f"/v2/nexus-cos/{name.removeprefix('image ')}/manifests/{tag}"
                ask = {**place, "path": path, "method": "HEAD", "headers": accept, "login": [user, password]}
                found[f"{kind} of {name}"] = ask
    return found
