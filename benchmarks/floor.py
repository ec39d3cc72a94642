"""The limit of a first converge: only the apt, image and docker work, done by shell over ssh in parallel.

No files, no users, no checks, and only the order that the work itself needs: packages of each host; base system,
images and their registry on the ops host; a swarm, its network, and a task of each service from those images.
The time that our own run takes beyond this is its own cost.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from benchmarks.hosts import Fleet
from nexus.environment import inventory
from nexus.environment.environment import Environment, Traits
from nexus.provider.lab.host import Host
from roles.image.checkout import checkout
from roles.image.recipe import REFERENCE, Image, recipe
from roles.table import ROLES

PORT = 5000
WORK = "/var/tmp/floor"
APT = "apt-get -y -q -o DPkg::Lock::Timeout=300"
REGISTRY = f"""\
version: 0.1
storage: {{filesystem: {{rootdirectory: /var/lib/docker-registry}}}}
http: {{addr: ":{PORT}"}}
"""
SERVE = "require('http').createServer((_, answer) => answer.end('ok')).listen(8080)"


@dataclass
class _Work:
    """The events for which the hosts wait."""

    env: Environment
    fleet: Fleet
    registry: str
    token: asyncio.Future[str]
    pushed: asyncio.Event
    joined: list[asyncio.Event]


def lay_bare(fleet: Fleet) -> float:
    """Do all the work on bare hosts; return the seconds until a task of every service runs."""
    env = inventory.load("lab")
    began = time.monotonic()
    asyncio.run(_work(env, fleet))
    return time.monotonic() - began


async def _work(env: Environment, fleet: Fleet) -> None:
    ops = env.group("ops")[0]
    nodes = [host.name for host in env.hosts if host.groups & {"app", "edge"}]
    registry = f"{ops.address}:{PORT}"
    token: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    work = _Work(env, fleet, registry, token, asyncio.Event(), [asyncio.Event() for _ in nodes])
    await asyncio.gather(*(_host(work, host, nodes) for host in fleet.hosts))


async def _host(work: _Work, host: Host, nodes: list[str]) -> None:
    """One host's share."""
    leader = work.env.group("app")[0].name
    await _shell(work, host, _packages(work, host.name))
    if host.name == work.env.group("ops")[0].name:
        await _shell(work, host, _images(work))
        work.pushed.set()
    elif host.name == leader:
        init = f"docker swarm init --advertise-addr {host.address} >/dev/null && docker swarm join-token -q worker"
        work.token.set_result((await _shell(work, host, init)).strip())
        work.joined[nodes.index(leader)].set()
        await asyncio.gather(*(event.wait() for event in work.joined), work.pushed.wait())
        await _shell(work, host, _stack(work))
    elif host.name in nodes:
        manager = work.env.host(leader).address
        await _shell(work, host, f"docker swarm join --token {await work.token} {manager}:2377")
        work.joined[nodes.index(host.name)].set()
        await work.pushed.wait()
        await _shell(work, host, f"docker pull -q {work.registry}/{REFERENCE}")


async def _shell(work: _Work, host: Host, script: str) -> str:
    return (await Fleet((host,), work.fleet.access)._everywhere(f"set -e\n{script}\n", 1200))[0]


def _packages(work: _Work, name: str) -> str:
    """Install all packages that roles plan for a host; tell its engine the registry's address."""
    traits = Traits(2, 8 << 30, 1400, 0, "x86_64", {"memory": False, "cpu": False})
    env = work.env.with_facts([replace(host, traits=traits) for host in work.env.hosts], {})
    host = env.host(name)
    found = {
        p
        for role in ROLES.of(host)
        if role not in ROLES.needing("digests")
        for p in ROLES.plan(role)(env, host).packages
    }
    engine = json.dumps({"insecure-registries": [work.registry]})
    lines = [
        "export DEBIAN_FRONTEND=noninteractive",
        f"mkdir -p /etc/docker && echo {shlex.quote(engine)} > /etc/docker/daemon.json",
        f"{APT} update >/dev/null",
        f"{APT} install --no-install-recommends {' '.join(sorted(found))} >/dev/null",
    ]
    return "\n".join(lines)


def _images(work: _Work) -> str:
    """Make the base system and every distinct image of the recipe; push the images that run."""
    wanted = recipe(work.env, checkout(work.env))
    order = {image.tag: image for top in wanted.images.values() for image in top.lineage}
    lines = [f"mkdir -p {WORK}"]
    for image in order.values():
        lines += _build(image, work.env)
    for name, top in {"router": wanted.images["router"], REFERENCE: _reference(wanted.images)}.items():
        lines += [f"docker tag {top.tag} {work.registry}/{name}", f"docker push -q {work.registry}/{name} >/dev/null"]
    config = f"cat > /etc/docker/registry/config.yml <<END\n{REGISTRY}END"
    return "\n".join([config, "systemctl restart docker-registry", *lines])


def _reference(images: Mapping[str, Image]) -> Image:
    return next(image for image in images.values() if image.name == REFERENCE)


def _build(image: Image, env: Environment) -> list[str]:
    if image.name == "base":
        made = json.loads(image.context)
        options = [f"--include={','.join(made['include'])}", *(f"--dpkgopt={o}" for o in made["dpkg"])]
        options.append('--aptopt=Acquire::Languages "none";')
        make = shlex.join(["mmdebstrap", "--variant=minbase", *options, made["suite"], f"{WORK}/base.tar"])
        sources = "$(ls /etc/apt/sources.list.d/* /etc/apt/sources.list 2>/dev/null)"
        return [f"{make} {sources} 2>/dev/null", f"docker import {WORK}/base.tar {image.tag} >/dev/null"]
    text = base64.b64encode(image.context).decode()
    bundle = "--transform='s,.*,.ca.pem,' -C /etc/ssl/certs ca-certificates.crt"
    return [
        f"base64 -d > {WORK}/context.tar <<END\n{text}\nEND",
        f"tar -rhf {WORK}/context.tar {bundle}",
        f"DOCKER_BUILDKIT=0 docker build --network host -t {image.tag} - < {WORK}/context.tar >/dev/null",
    ]


def _stack(work: _Work) -> str:
    """Start a task of every service that answers on a port, and wait until all run."""
    image = f"{work.registry}/{REFERENCE}"
    services = {
        name: {
            "image": image,
            "entrypoint": ["node", "-e", SERVE],
            "networks": ["floor"],
            "deploy": {"endpoint_mode": "dnsrr"},
        }
        for name in work.env.catalogue.services
    }
    text = json.dumps({"version": "3.12", "services": services, "networks": {"floor": {"driver": "overlay"}}})
    states = "docker stack ps floor --filter desired-state=running --format '{{.CurrentState}}'"
    return "\n".join(
        [
            f"docker stack deploy --detach=true --resolve-image never -c - floor >/dev/null <<'END'\n{text}\nEND",
            f'until [ "$({states} | grep -c ^Running || true)" -ge {len(services)} ]; do sleep 1; done',
        ]
    )
