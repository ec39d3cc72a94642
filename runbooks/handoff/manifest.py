"""deployment-manifest: what the platform consists of and where it runs, as data for programs."""

from typing import Any

from roles.service.scale import size
from runbooks.handoff.facts import facts
from runbooks.handoff.handoff import Handoff


def manifest(handoff: Handoff, rendered: list[str]) -> dict[str, Any]:
    """{"platform", "commit", "environment", "observed", "hosts", "services", "modules", "routes", "stores", ...}.

    `rendered` are the files below deployment/.
    """
    env, commit, catalogue = handoff.env, handoff.commit, handoff.env.catalogue
    known = facts(env)
    seen = handoff.observation
    return {
        "platform": known["platform"],
        "commit": {"name": commit.name, "epoch": commit.epoch, "at": commit.moment, "dirty": commit.dirty},
        "environment": env.name,
        "observed": {"at": seen["at"], "run": seen["run"], "plan": seen["plan"]} if seen else None,
        "differences": [str(difference) for difference in handoff.differences],
        "hosts": {name: {**about, **_host(handoff, name)} for name, about in known["hosts"].items()},
        "startup": [
            {"phase": phase.phase, "name": phase.name, "services": [service.name for service in services]}
            for phase, services in catalogue.phases()
        ],
        "services": {name: _service(handoff, name) for name in catalogue.services},
        "modules": {
            module.slug: {"title": module.title, "services": [*module.services]} for module in catalogue.modules
        },
        "routes": known["routes"],
        "stores": known["stores"],
        "rendered": rendered,
    }


def _service(handoff: Handoff, name: str) -> dict[str, Any]:
    service = handoff.env.catalogue.services[name]
    asks = size(handoff.env, service)
    return {
        "port": service.port,
        "category": service.category,
        "domain": service.domain,
        "replicas": {"full_size": service.replicas, "here": asks.replicas},
        "cpu_millicores": service.cpu_millicores,
        "memory_bytes": service.memory_bytes,
        "gpu": service.gpu,
        "depends_on": [*service.depends_on],
        "stores": [*service.stores],
        "found": handoff.found("services", name) or None,
    }


def _host(handoff: Handoff, name: str) -> dict[str, Any]:
    found = handoff.found("hosts", name)
    return {"found": {key: found[key] for key in ("system", "kernel", "versions")}} if found else {"found": None}
