"""The ways to a task on the lab: the peers run in the router's network on the edge host, where tasks are reached.

Everything is removed afterwards; nothing of it is in a plan. Loads run in the edge host's network, so that no way has
another way to go than the others.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import WORK, edge_peers, platform_run
from benchmarks.edge import Place, Way, measure
from benchmarks.full import Unexpected
from benchmarks.hosts import Fleet
from benchmarks.target import Figures
from nexus.environment import inventory
from nexus.environment.environment import Environment

SERVICE, ROUTE, TARGET = "session-mgr", "/api/sessions/bench", "/sessions/bench"
DIRECTORY = "/run/nexus-bench-edge"
INSIDE = "/tmp/nexus-bench-edge"  # in the router's container
ROUTER = 'router=$(docker ps -q --filter label=nexus.service=router) && test -n "$router" || exit 3'
PID = "pid=$(docker inspect -f '{{.State.Pid}}' $router)"
PACKAGE = "nghttp2-client"


def run(figures: Figures) -> None:
    """Measure all ways on the deployed lab; Unexpected if it is not as a run leaves it."""
    if not shutil.which("h2load"):
        raise Unexpected(f"h2load is missing on this machine: apt-get install {PACKAGE}")
    env = inventory.load("lab")
    fleet = platform_run.lab_fleet()
    names = {host.name for host in env.group("edge")}
    edge = Fleet(tuple(host for host in fleet.hosts if host.name in names)[:1], fleet.access)
    with peers(edge, env) as address:
        measure(ways(env, address), place(edge, env), figures)


def ways(env: Environment, peer: str) -> tuple[Way, ...]:
    """The peers at this address, and our edge at the host's own loopback, for which it has no limits."""
    return (
        Way("nginx", "bare Nginx", peer, edge_peers.NGINX_PORT, TARGET, (f"-c {DIRECTORY}/nginx.conf",)),
        Way("haproxy", "HAProxy alone", peer, edge_peers.HAPROXY_PORT, TARGET, (f"-f {INSIDE}/haproxy.cfg",)),
        Way(
            "edge",
            "our edge",
            "127.0.0.1",
            int(env.setting.nginx_https_port),
            ROUTE,
            ("nginx: master process /usr/sbin/nginx", "-f /etc/haproxy/haproxy.cfg"),
            ("systemd-journald", "/usr/bin/cat", "mtail", "journal-upload"),
        ),
    )


def place(edge: Fleet, env: Environment) -> Place:
    """The edge host's network, as this machine enters it."""
    running = edge.hosts[0].running()
    if not running or not running.init:
        raise Unexpected(f"{edge.hosts[0].name} does not run: make deploy")
    WORK.mkdir(parents=True, exist_ok=True)
    ca = WORK / "edge-ca.pem"
    ca.write_text(env.tls.certificate)
    within = ("nsenter", f"--net=/proc/{running.init}/ns/net")
    return Place(f"api.{env.setting.domain}", str(ca), running.init, within)


@contextmanager
def peers(edge: Fleet, env: Environment) -> Iterator[str]:
    """Both peers while they run; their address as seen from the edge host."""
    leaf = env.tls.leaf([f"api.{env.setting.domain}"])
    port = env.catalogue.service(SERVICE).port
    try:
        task, address = _places(edge, port)
        _start(edge, leaf.certificate + leaf.key, task)
        yield address
    finally:
        edge.everywhere(STOP)


def _places(edge: Fleet, port: int) -> tuple[str, str]:
    """A task as ADDRESS:PORT, and the router's address in the network that it shares with its host."""
    found = f"docker exec $router getent ahostsv4 tasks.{SERVICE} | cut -d' ' -f1 | head -n 1"
    shared = "docker network inspect docker_gwbridge -f '{{range .Containers}}{{.Name}} {{.IPv4Address}}\n{{end}}'"
    # the bridge names its containers by the ids of their sandboxes: the one of the router has the router's address
    own = "nsenter -t $pid -n ip -4 -o addr show | awk '{print $4}'"
    script = f'{ROUTER}\n{PID}\n{found}\nown="$({own})"\n{shared} | while read name given; do\n'
    script += 'echo "$own" | grep -qxF "$given" && echo "${given%/*}"\ndone\n'
    words = edge.everywhere(script)[0].split()
    if len(words) != 2:
        raise Unexpected(f"no task of {SERVICE} or no router on {edge.hosts[0].name}: {words}")
    return f"{words[0]}:{port}", words[1]


def _start(edge: Fleet, pem: str, task: str) -> None:
    inside = 'docker exec -i $router sh -c "umask 077; mkdir -p {0}; cat >{0}/{1}"'
    script = [
        ROUTER,
        PID,
        f"umask 077; mkdir -p {DIRECTORY}",
        _file(f"cat >{DIRECTORY}/both.pem", pem),
        _file(f"cat >{DIRECTORY}/nginx.conf", edge_peers.nginx(DIRECTORY, task)),
        _file(inside.format(INSIDE, "both.pem"), pem),
        _file(inside.format(INSIDE, "haproxy.cfg"), edge_peers.haproxy(INSIDE, task)),
        f"nsenter -t $pid -n nginx -c {DIRECTORY}/nginx.conf",
        f"docker exec -d $router haproxy -db -f {INSIDE}/haproxy.cfg",
        "sleep 1",
    ]
    edge.everywhere("\n".join(["set -e", *script]) + "\n")


def _file(command: str, text: str) -> str:
    return f"{command} <<'END'\n{text.rstrip()}\nEND"


# The router's image may lack pkill: its processes are found from the host.
STOP = f"""
pkill -f -- '-c {DIRECTORY}/nginx.conf'
pkill -f -- '-f {INSIDE}/haproxy.cfg'
router=$(docker ps -q --filter label=nexus.service=router) && docker exec $router rm -rf {INSIDE}
rm -rf {DIRECTORY}
true
"""
