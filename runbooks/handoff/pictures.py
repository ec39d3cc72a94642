"""The pictures of the architecture, from the plan: topology, service map, routes, data flow and matrix."""

from itertools import pairwise

from nexus.catalogue.order import depths
from nexus.environment.environment import Environment
from nexus.run.flow import SOURCES, matrix
from roles.table import ROLES
from runbooks.handoff.graph import Arrow, Graph


def pictures(env: Environment) -> dict[str, Graph]:
    """{name of the picture: graph}."""
    return {
        "topology": topology(env),
        "service-map": service_map(env),
        "routes": routes(env),
        "data-flow": data_flow(env),
        "matrix": flows(env),
    }


def topology(env: Environment) -> Graph:
    """Hosts by layer, and which layer connects to which."""
    layers = {name: [f"{host.name} {host.address}" for host in env.group(name)] for name in ("edge", "app")}
    others = [host for host in env.hosts if not host.groups & {"edge", "app"}]
    layers["data and ops"] = [f"{host.name} {host.address}" for host in others]
    columns = {"clients": ["clients"], **{name: hosts for name, hosts in layers.items() if hosts}}
    ordered = list(columns.values())
    pairs = [(one, other) for here, there in pairwise(ordered) for one in here for other in there]
    return Graph(f"Hosts of {env.name}", columns, [Arrow(one, other) for one, other in pairs])


def service_map(env: Environment) -> Graph:
    """Services, each to the right of all that it needs before it starts."""
    services = env.catalogue.services
    steps = depths({name: service.depends_on for name, service in services.items()})
    columns: dict[str, list[str]] = {}
    for name in sorted(services, key=lambda name: steps[name]):
        columns.setdefault(f"after {steps[name]} others" if steps[name] else "first", []).append(name)
    needs = [Arrow(name, need) for name, service in services.items() for need in service.depends_on]
    return Graph("Services and what they depend on", columns, needs)


def routes(env: Environment) -> Graph:
    """Paths of the edge and the services that they lead to."""
    found = env.catalogue.routes
    services = list(dict.fromkeys(route.service for route in found))
    arrows = [Arrow(route.path, route.service, ", ".join(route.methods)) for route in found]
    return Graph("Routes of the edge", {"path": [route.path for route in found], "service": services}, arrows)


def data_flow(env: Environment) -> Graph:
    """Services, the stores that keep their data, and the events between them."""
    file = env.catalogue.platform
    services = env.catalogue.services
    sending = {name for event in file.events for name in (event.publisher, *event.consumers)}
    stores = [name for name in env.catalogue.stores if env.catalogue.services_of_store(name)]
    columns = {
        "event": [f"event {event.name}" for event in file.events],
        "service": [name for name, service in services.items() if service.stores or name in sending],
        "store": [f"store {name}" for name in stores],
    }
    arrows = [Arrow(event.publisher, f"event {event.name}") for event in file.events]
    arrows += [Arrow(f"event {event.name}", name, dotted=True) for event in file.events for name in event.consumers]
    arrows += [Arrow(name, f"store {store}") for name in columns["service"] for store in services[name].stores]
    return Graph("Data of the services", columns, arrows)


def flows(env: Environment) -> Graph:
    """Who connects to which group of hosts."""
    pairs: dict[tuple[str, str], list[int]] = {}
    for entry in matrix(env, ROLES):
        pairs.setdefault((entry.flow.source, entry.flow.to), []).append(entry.flow.port)
    sources = sorted({source for source, _ in pairs}, key=lambda name: (name not in SOURCES, name))
    columns = {
        "from": [f"from {name}" for name in sources],
        "to": [f"to {name}" for name in sorted({to for _, to in pairs})],
    }
    arrows = [
        Arrow(f"from {source}", f"to {to}", ", ".join(map(str, sorted(set(ports)))))
        for (source, to), ports in sorted(pairs.items())
    ]
    return Graph(f"Connections in {env.name}", columns, arrows)
