"""The slice as the library's plan."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment as Jinja
from jinja2 import FileSystemLoader, StrictUndefined, Template

from benchmarks import slice as workload
from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, Unit, User

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


def plan(env: Environment, host: Host) -> Desired:
    """The same plan for every host, rendered for each one as a platform's plan would be."""
    found = workload.services(env.catalogue.services.values(), workload.level())
    directories, files = [], []
    for service in found:
        place, group = f"{workload.DIRECTORY}/{service['name']}", f"nexus-{service['category']}"
        directories.append(Directory(place, group=group))
        environment = _template("environment.j2").render(service=service)
        files.append(File(f"{place}/environment", environment, group=group, mode=0o640))
        files.append(File(f"{place}/upstream.conf", _template("upstream.conf.j2").render(service=service)))
    upstreams = tuple(file.path for file in files if file.path.endswith("/upstream.conf"))
    files.append(File(workload.SITE, (TEMPLATES / "site.conf").read_text()))
    files.append(File(workload.UNIT, (TEMPLATES / "service.service").read_text()))
    return Desired(
        packages=workload.PACKAGES,
        users=tuple(User(name) for name in workload.users(found)),
        directories=tuple(directories),
        files=tuple(files),
        units=(
            Unit("nginx", restart_on=(workload.SITE, *upstreams), reload_check="nginx -t"),
            *(Unit(name) for name in workload.PACKAGED_UNITS if name != "nginx"),
            *(
                Unit(f"nexus-bench@{name}", restart_on=(f"{workload.DIRECTORY}/{name}/environment",))
                for name in workload.running(found)
            ),
        ),
    )


@cache
def _template(name: str) -> Template:
    jinja = Jinja(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True, auto_reload=False
    )
    return jinja.get_template(name)
