"""HAProxy on a host that runs services: the stores at the address by which containers reach their host.

It knows no store: a role that has a module `proxy` contributes what stands there (see section.py). So a
service needs one address for each store, the same on every host, and no library that knows of failover.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec

from roles.certificate.plan import CA
from roles.kit.environment import Environment, Host
from roles.kit.error import OperatorError
from roles.kit.model import Desired, File, Unit
from roles.proxy.section import Section

CONFIG = "/etc/haproxy/haproxy.cfg"
DROP_IN = "/etc/systemd/system/haproxy.service.d/10-nexus-cos.conf"
KEEP = "/usr/local/lib/nexus-cos/proxy-state"
PATHS = {"socket": "/run/haproxy/admin.sock", "state": "/run/haproxy/servers"}
STORES = ("postgresql", "redis", "rabbitmq")


def plan(env: Environment, host: Host) -> Desired:
    """Debian's HAProxy with a section for each way into a store."""
    config = env.render("proxy/haproxy.cfg.j2", host=host, sections=sections(env), **PATHS)
    return Desired(
        packages=("haproxy",),
        files=(
            File(CONFIG, config, mode=0o640, group="haproxy", secret=True),
            File(KEEP, env.render("proxy/state.py.j2", **PATHS)),
            File(DROP_IN, env.render("proxy/service.conf.j2", keep=KEEP)),
        ),
        units=(
            Unit(
                "haproxy",
                restart_on=(DROP_IN,),
                reload_on=(CONFIG, CA),
                reload_check=f"haproxy -c -q -f {CONFIG}",
            ),
        ),
    )


def sections(env: Environment) -> list[Section]:
    """Sections of all stores that this environment has and whose role contributes some."""
    found: list[Section] = []
    for store in STORES:
        if env.present(store) and find_spec(f"roles.{store}.proxy"):
            found += importlib.import_module(f"roles.{store}.proxy").sections(env)
    return found


def notes(env: Environment) -> list[str]:
    """OperatorError where two sections want one port."""
    taken: dict[int, str] = {}
    for section in sections(env):
        if section.port in taken:
            raise OperatorError(
                f"the proxy's sections {taken[section.port]} and {section.name} both want port {section.port}: set one "
                "of the settings *_proxy_*port to another"
            )
        taken[section.port] = section.name
    return []
