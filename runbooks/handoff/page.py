"""Renders the pages: {path in the repository: text}, each from a template and the same inputs."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from jinja2 import Environment as Jinja

from nexus import project
from nexus.catalogue.size import Scale, Size, asked
from nexus.catalogue.size import size as full_size
from nexus.environment.generated import plain
from nexus.environment.templates import templates
from nexus.run.flow import SOURCES, matrix
from roles.prometheus.limit import entries
from roles.prometheus.plan import alerts
from roles.router.backend import timeout_ms
from roles.service.scale import size
from roles.table import ROLES
from runbooks.handoff import contract, deployment
from runbooks.handoff.facts import groups
from runbooks.handoff.graph import mermaid, svg
from runbooks.handoff.handoff import Handoff
from runbooks.handoff.manifest import manifest
from runbooks.handoff.pictures import pictures
from runbooks.handoff.regular import ways
from runbooks.handoff.scripts import REGION, SCRIPTS

PICTURES = "docs/pictures"


def pages(handoff: Handoff) -> dict[str, str]:
    """Every file of the handoff, by its path in the repository."""
    made = deployment.files(handoff.env)
    found = dict(_rendered(_jinja(handoff), handoff))
    about = manifest(handoff, sorted(made))
    found["deployment-manifest.json"] = json.dumps(about, indent=2) + "\n"
    found[f"{contract.TREE}/deployment/deployment-manifest.yaml"] = plain(about)
    for name, graph in pictures(handoff.env).items():
        found[f"{PICTURES}/{name}.svg"] = svg(graph)
    return found | {f"{contract.TREE}/deployment/{path}": text for path, text in made.items()}


def _rendered(jinja: Jinja, handoff: Handoff) -> Iterator[tuple[str, str]]:
    render = partial(_page, jinja)
    for folder, names in contract.NAMED.items():
        for name in names:
            if name.endswith(".md"):
                yield f"{contract.TREE}/{folder}/{name}", render(f"{folder}/{name}")
    catalogue = handoff.env.catalogue
    for service in catalogue.services.values():
        yield f"{contract.TREE}/services/{service.name}.md", render("services/service.md", service=service)
    for module in catalogue.modules:
        yield f"{contract.TREE}/modules/{module.slug}.md", render("modules/module.md", module=module)
    yield f"{contract.TREE}/README.md", render("README.md")
    for name in contract.OUTSIDE:
        if name.endswith(".md"):
            yield name, render(name)


def _page(jinja: Jinja, template: str, **values: Any) -> str:
    text = jinja.get_template(f"handoff/{template}.j2").render(**values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _jinja(handoff: Handoff) -> Jinja:
    env = handoff.env
    catalogue, rules = env.catalogue, entries(env)
    jinja = templates(project.root() / "templates")
    jinja.filters |= {"code": _code, "cell": _cell, "plain": "{:g}".format}
    jinja.globals |= {
        "handoff": handoff,
        "env": env,
        "setting": env.setting,
        "catalogue": catalogue,
        "operations": catalogue.operations,
        "gateway": catalogue.gateway,
        "platform": catalogue.platform,
        "counts": Counter(service.category for service in catalogue.services.values()),
        "full_size": asked(catalogue, Scale.of({})),
        "here_size": asked(catalogue, Scale.of(env.setting)),
        "size": lambda service: size(env, service),
        "full": lambda service: full_size(service, Scale.of({})),
        "timeout_ms": partial(timeout_ms, env),
        "groups": lambda host: groups(env, host.groups),
        "probes": lambda service, shipped: catalogue.probes_of(service, shipped_code=shipped),
        "dependents": lambda name: [one.name for one in catalogue.services.values() if name in one.depends_on],
        "modules_of": lambda name: [module for module in catalogue.modules if name in module.services],
        "alerts": [(role, alert, rules[alert.name]) for role, alert in alerts(env) if alert.name in rules],
        "flows": matrix(env, ROLES),
        "sources": SOURCES,
        "pictures": {name: mermaid(graph) for name, graph in pictures(env).items()},
        "ways": ways,
        "scripts": SCRIPTS,
        "region": REGION,
        "changelog": (project.root() / "CHANGELOG.md").read_text(),
        "requests_of": _requests,
        "versions": list(_versions(handoff)),
        "file_count": contract.FILE_COUNT,
    }
    return jinja


def _versions(handoff: Handoff) -> Iterator[tuple[str, str, list[str]]]:
    """(package, version, hosts) as found."""
    known: dict[tuple[str, str], list[str]] = {}
    for host, about in (handoff.observation or {}).get("hosts", {}).items():
        for package, version in about["versions"].items():
            known.setdefault((package, version), []).append(host)
    yield from ((package, version, hosts) for (package, version), hosts in sorted(known.items()))


def _code(text: object) -> str:
    """Text as code in a cell of a table."""
    return f"`{str(text).replace('|', chr(92) + '|')}`" if str(text) else ""


def _cell(text: object) -> str:
    """Text in a cell of a table, where Markdown means nothing by it."""
    words = " ".join(str(text).split())
    for mark in ("\\", "|", "*", "_", "<", "[", "`"):
        words = words.replace(mark, f"\\{mark}")
    return words


def _requests(asks: Size) -> str:
    """The requests of a replica."""
    cpu = f"{asks.cpu_millicores}m" if asks.cpu_millicores else "no CPU"
    return f"{cpu}, {asks.memory_bytes // 2**20} MiB" + (f", {asks.gpus} GPU" if asks.gpus else "")
