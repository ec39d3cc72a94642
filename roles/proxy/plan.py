"""HAProxy on a host that runs services: the stores at the address by which containers reach their host.

It knows no store: a role that has a file `proxy.py` contributes its sections (see section.py). So a service
needs one address for each store, the same on every host, and no library that knows of failover.
"""

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.plan.desired import Desired, Directory, File, Unit
from roles.certificate.plan import CA
from roles.proxy import live
from roles.proxy.section import Section
from roles.table import ROLES

IN_ORDER = ("haproxy",)
CONFIG = "/etc/haproxy/haproxy.cfg"
DROP_IN = "/etc/systemd/system/haproxy.service.d/10-nexus-cos.conf"
KEEP = "/usr/local/lib/nexus-cos/proxy-state"
METRICS_PORT = 8405  # on loopback
PATHS = {"socket": "/run/haproxy/admin.sock", "state": "/run/haproxy/servers"}


def plan(env: Environment, host: Host) -> Desired:
    """Plan Debian's HAProxy with a section for each way into a store."""
    config = File(CONFIG, configuration(env, host), mode=0o640, group="haproxy", secret=True)
    asked = {"socket": PATHS["socket"], "unit": "haproxy", "config": CONFIG, "sha256": config.sha256}
    return Desired(
        packages=("haproxy",),
        directories=(Directory("/var/lib/haproxy"),),
        files=(
            config,
            File(KEEP, env.render("proxy/state.py.j2", **PATHS)),
            File(DROP_IN, env.render("proxy/service.conf.j2", keep=KEEP)),
        ),
        units=(
            Unit("haproxy", restart_on=(DROP_IN,), reload_on=(CONFIG, CA), reload_check=f"haproxy -c -q -f {CONFIG}"),
        ),
        states=(live.state({**asked, "connections": int(env.setting.proxy_connections)}, str(config.content)),),
    )


def configuration(env: Environment, host: Host) -> str:
    """haproxy.cfg of one host."""
    return env.render("proxy/haproxy.cfg.j2", host=host, sections=sections(env), metrics_port=METRICS_PORT, **PATHS)


def sections(env: Environment) -> list[Section]:
    """Sections that the roles of this environment's stores contribute."""
    found: list[Section] = []
    for store, module in ROLES.bringing("proxy").items():
        if env.present(store):
            found += module.sections(env)
    return found


def notes(env: Environment) -> list[str]:
    """Raise OperatorError if two sections use the same port."""
    taken: dict[int, str] = {}
    for section in sections(env):
        if section.port in taken:
            raise OperatorError(
                f"the proxy's sections {taken[section.port]} and {section.name} both use port {section.port}: change "
                "one of the settings *_proxy_*port"
            )
        taken[section.port] = section.name
    return []
