"""Exporters of one host, each on loopback, and the one port through which Prometheus reads them.

A role adds the metrics of its daemons in its file `exporters.py`. Few exporters can ask for certificates, so none is
reached from other hosts: exporter-exporter relays to them, over TLS and only for certificates of ops hosts.
"""

import re

from nexus.environment.environment import Environment, Host
from nexus.environment.generated import generated
from nexus.error import OperatorError
from nexus.plan.desired import Desired, Directory, File, Unit
from nexus.plan.sent import program
from nexus.run.exporter import TEXTFILES, Exporter, Textfile
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.exporter.unit import UNITS, unit_files
from roles.table import ROLES

ACCOUNT = "prometheus"  # the packages make it
RELAY = "prometheus-exporter-exporter"
TRUST = {"SSL_CERT_FILE": CA}  # its option tls_ca_cert_file has no effect on the daemons that it asks
CONFIG = "/etc/prometheus/exporter-exporter.yml"
LIBRARY = "/usr/local/lib/nexus-cos/exporter"
RUNNER = "roles.exporter.host.textfile"  # the module that writes the file of a Textfile


def plan(env: Environment, host: Host) -> Desired:
    """Packages, arguments and units of all exporters, and the relay."""
    found = exporters(env, host)
    packaged = [exporter for exporter in found if exporter.package]
    modules = {exporter.job: _module(host, exporter) for exporter in found}
    config = File(CONFIG, generated({"modules": modules}))
    relay = unit_files(env, RELAY, _relay_arguments(env, host), TRUST, (KEY_GROUP,))
    files = [unit_files(env, one.package, one.arguments, one.variables, one.groups, one.user) for one in packaged]
    units = [
        Unit(one.package, restart_on=tuple(file.path for file in (*own, *one.files)))
        for one, own in zip(packaged, files, strict=True)
    ]
    paths = (*(file.path for file in relay), CONFIG, CA, LEAF, KEY)
    programs, timers = _programs(env, textfiles(env, host))
    return Desired(
        packages=(RELAY, *(exporter.package for exporter in packaged)),
        directories=(Directory("/var/lib/prometheus", ACCOUNT, ACCOUNT), Directory(TEXTFILES)),
        files=(
            config,
            *relay,
            *programs,
            *(file for own in files for file in own),
            *(file for one in packaged for file in one.files),
        ),
        units=(*units, *timers, Unit(RELAY, restart_on=paths)),
    )


def exporters(env: Environment, host: Host) -> list[Exporter]:
    """All exporters of a host, by job; OperatorError if two of them share a port or a job."""
    concerned = set(ROLES.of(host))
    found: list[Exporter] = []
    for role, module in ROLES.bringing("exporters").items():
        found += module.exporters(env, host) if role in concerned else []
    for what in ("port", "job"):
        taken: dict[object, Exporter] = {}
        for exporter in found:
            other = taken.setdefault(getattr(exporter, what), exporter)
            if other is not exporter:
                raise OperatorError(
                    f"{host.name}: exporters {other.job} and {exporter.job} have the same {what}, "
                    f"{getattr(exporter, what)}: change one of them"
                )
    return found


def textfiles(env: Environment, host: Host) -> list[Textfile]:
    """All files of metrics that programs of ours write on a host."""
    concerned, found = set(ROLES.of(host)), list[Textfile]()
    for role, module in ROLES.bringing("exporters").items():
        if role in concerned and hasattr(module, "textfiles"):
            found += module.textfiles(env, host)
    return found


def _programs(env: Environment, found: list[Textfile]) -> tuple[list[File], list[Unit]]:
    """The programs that write files of metrics, and their timers."""
    modules = [RUNNER, *(textfile.module for textfile in found)] if found else []
    files, timers = [File(f"{LIBRARY}/{path}", text) for path, text in program(modules).items()], []
    for textfile in found:
        unit, values = f"nexus-metrics-{textfile.name}", {"textfile": textfile, "directory": TEXTFILES}
        service = env.render("exporter/textfile.service.j2", library=LIBRARY, runner=RUNNER, **values)
        timer = env.render("exporter/textfile.timer.j2", **values)
        files += [File(f"{UNITS}/{unit}.service", service), File(f"{UNITS}/{unit}.timer", timer)]
        timers.append(Unit(f"{unit}.timer"))
    return files, timers


def _module(host: Host, exporter: Exporter) -> dict[str, object]:
    """How the relay reaches an exporter. It hands metrics on as they are."""
    place: dict[str, object] = {"port": exporter.port, "path": exporter.path, "verify": False}
    if exporter.tls:
        place |= {"scheme": "https", "address": host.address, "tls_cert_file": LEAF, "tls_key_file": KEY}
    return {"method": "http", "timeout": "10s", "http": place}


def _relay_arguments(env: Environment, host: Host) -> tuple[str, ...]:
    readers = "|".join(re.escape(reader.name) for reader in env.group("ops"))
    return (
        "-web.listen-address=",
        f"-web.tls.listen-address={host.address}:{host.setting.exporter_port}",
        f"-web.tls.cert={LEAF}",
        f"-web.tls.key={KEY}",
        f"-web.tls.ca={CA}",
        "-web.tls.verify",
        f"-web.tls.certmatch=^({readers})$",
    )
