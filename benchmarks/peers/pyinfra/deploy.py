"""The slice as a user of pyinfra would write it: stock operations, in loops."""

import json
import os
from pathlib import Path

from pyinfra import config
from pyinfra.operations import apt, files, server, systemd

config.SUDO = True

slice_ = json.loads(Path(os.environ["NEXUS_BENCH_WORK"], "slice.json").read_text())
templates = Path(slice_["templates"])

apt.packages(name="Packages", packages=slice_["packages"], no_recommends=True)

for user in slice_["users"]:
    server.user(name=f"Account {user}", user=user, system=True, shell="/usr/sbin/nologin", ensure_home=False)

environments, upstreams = {}, []
for service in slice_["services"]:
    place, group = f"{slice_['directory']}/{service['name']}", f"nexus-{service['category']}"
    files.directory(name=f"Directory {place}", path=place, user="root", group=group, mode="755")
    environments[service["name"]] = files.template(
        name=f"Environment of {service['name']}",
        src=str(templates / "environment.j2"),
        dest=f"{place}/environment",
        user="root",
        group=group,
        mode="640",
        service=service,
    )
    upstreams.append(
        files.template(
            name=f"Upstream of {service['name']}",
            src=str(templates / "upstream.conf.j2"),
            dest=f"{place}/upstream.conf",
            user="root",
            group="root",
            mode="644",
            service=service,
        )
    )

site = files.put(
    name="Site", src=str(templates / "site.conf"), dest=slice_["site"], user="root", group="root", mode="644"
)
unit = files.put(
    name="Unit of the services",
    src=str(templates / "service.service"),
    dest=slice_["unit"],
    user="root",
    group="root",
    mode="644",
)
systemd.daemon_reload(name="Read unit files again", _if=unit.did_change)

for name in slice_["units"]:
    systemd.service(name=f"Unit {name}", service=name, running=True, enabled=True)

for name in slice_["running"]:
    systemd.service(
        name=f"Restart {name}", service=f"nexus-bench@{name}", restarted=True, _if=environments[name].did_change
    )
systemd.service(
    name="Restart Nginx",
    service="nginx",
    restarted=True,
    _if=lambda: any(operation.did_change() for operation in (*upstreams, site)),
)
