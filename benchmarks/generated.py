"""A catalogue of any number of services: the platform's own, and copies of it under other names.

It serves to measure growth. The copies depend on each other as the originals do, and have their own routes.
"""

from __future__ import annotations

import copy
import os
import shutil
from pathlib import Path
from typing import Any

import yaml

from benchmarks import PROJECT, WORK

SOURCE = PROJECT / "group_data" / "catalogue"
VARIABLE = "NEXUS_BENCH_SERVICES"
FIRST_PORT = 20000
ROOM = ("--data", "postgresql_max_connections=2000")  # each service has its own connections


class _Plain(yaml.SafeDumper):
    """Writes a repeated value again each time: the catalogue takes no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def install() -> None:
    """Give the environments of this process the number of services in NEXUS_BENCH_SERVICES."""
    if not os.environ.get(VARIABLE):
        return
    import nexus.catalogue
    import nexus.environment.environment

    directory = WORK / f"catalogue-{os.environ[VARIABLE]}"
    original = nexus.catalogue.load

    def own(place: Path = directory) -> nexus.catalogue.Catalogue:
        return original(place)

    for module in (nexus.catalogue, nexus.environment.environment):
        vars(module)["load"] = own


def write(count: int) -> Path:
    """Write the catalogue with this number of services; return its directory."""
    directory = WORK / f"catalogue-{count}"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(SOURCE, directory)
    services = yaml.safe_load((SOURCE / "services.yaml").read_text())
    gateway = yaml.safe_load((SOURCE / "gateway.yaml").read_text())
    originals, routes = list(services["services"]), list(gateway["routes"])
    for number in range(1, -(-count // len(originals))):
        names = {service["name"]: f"{service['name'][:36]}-{number}" for service in originals}
        for service in originals:
            if len(services["services"]) == count:
                break
            services["services"].append(_copy(service, names, FIRST_PORT + len(services["services"])))
        present = {service["name"] for service in services["services"]}
        for route in routes:
            if names[route["service"]] in present:
                path = route["path"].replace("/api/", f"/api/{number}/", 1)
                gateway["routes"].append({**route, "path": path, "service": names[route["service"]]})
        if len(services["services"]) == count:
            _drop_unknown(services["services"], present)
    for name, data in {"services": services, "gateway": gateway}.items():
        (directory / f"{name}.yaml").write_text(yaml.dump(data, Dumper=_Plain, sort_keys=False, allow_unicode=True))
    return directory


def _copy(service: dict[str, Any], names: dict[str, str], port: int) -> dict[str, Any]:
    made = copy.deepcopy(service)
    made |= {"name": names[service["name"]], "port": port}
    made.pop("redis_key_prefixes", None)  # no two services may share one
    made.pop("functional", None)  # the checks need the original's routes
    if "depends_on" in made:
        made["depends_on"] = [names[name] for name in made["depends_on"]]
    return made


def _drop_unknown(services: list[dict[str, Any]], present: set[str]) -> None:
    """Drop dependencies on services that are missing because the last copy was cut short."""
    for service in services:
        if "depends_on" in service:
            service["depends_on"] = [name for name in service["depends_on"] if name in present]
