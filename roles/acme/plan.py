"""The public certificate: what takes it on edge hosts, and the program that orders it on ops hosts."""

import json
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, Link, State, Unit
from nexus.plan.sent import program
from roles.acme import account, settings
from roles.acme.host import places
from roles.acme.host.places import CONFIG, EDGE_CONFIG, LIBRARY, PROGRAM, RECORD
from roles.certificate import plan as certificate
from roles.certificate.host.public import DIRECTORY

RECEIVER = "roles.acme.host.receive"
UNITS = "/etc/systemd/system"
EDGE_UNIT, OPS_UNIT = "nexus-acme-edge", "nexus-acme"
HOST = Path(__file__).parent / "host"
OWN = f"{DIRECTORY}/{places.INTERNAL}"
TLS = {"ca": certificate.CA, "certificate": certificate.LEAF, "key": certificate.KEY}


def plan(env: Environment, host: Host) -> Desired:
    """Nothing while `acme_directories` is empty."""
    if not settings.enabled(env):
        return Desired()
    settings.check(env)
    parts = [part(env, host) for group, part in (("edge", _edge), ("ops", _ops)) if group in host.groups]
    return Desired(
        packages=tuple(name for part in parts for name in part.packages),
        files=tuple({file.path: file for part in parts for file in part.files}.values()),  # a host may be both
        units=tuple(unit for part in parts for unit in part.units),
        states=tuple(state for part in parts for state in part.states),
    )


def first_certificate(env: Environment, host: Host) -> Desired:
    """What Nginx needs before its first start: a link to the host's own certificate until a public one is delivered."""
    if not settings.enabled(env):
        return Desired()
    item = {"certificate of clients": {"there": True}}
    return Desired(
        directories=(Directory(DIRECTORY), Directory(OWN)),
        files=(File(f"{OWN}/{places.PUBLIC}", 'default "";\n'),),
        links=(Link(f"{OWN}/{places.CERTIFICATE}", certificate.LEAF), Link(f"{OWN}/{places.KEY}", certificate.KEY)),
        states=(State("first certificate", HOST / "current.py", item, before_units=True),),
    )


def _edge(env: Environment, host: Host) -> Desired:
    """A socket that ops hosts deliver to."""
    config = {"senders": [each.name for each in env.group("ops")], "tls": TLS}
    values = {"library": LIBRARY, "program": RECEIVER, "config": EDGE_CONFIG, "host": host}
    socket, service = f"{UNITS}/{EDGE_UNIT}.socket", f"{UNITS}/{EDGE_UNIT}@.service"
    return Desired(
        packages=("python3",),
        files=(
            *_program(RECEIVER),
            File(EDGE_CONFIG, json.dumps(config, indent=1) + "\n"),
            File(socket, env.render("acme/edge.socket.j2", **values)),
            File(service, env.render("acme/edge.service.j2", **values)),
        ),
        units=(Unit(f"{EDGE_UNIT}.socket", restart_on=(socket,)),),
    )


def _ops(env: Environment, host: Host) -> Desired:
    """The program, its settings with the account's key, and its timer; the first ops host answers for edge hosts."""
    values = {"library": LIBRARY, "program": PROGRAM, "config": CONFIG}
    service, timer = (f"{UNITS}/{OPS_UNIT}.{kind}" for kind in ("service", "timer"))
    text = json.dumps(configuration(env, host), indent=1, sort_keys=True) + "\n"
    aws = ("python3-boto3",) if env.setting.acme_challenge == settings.ROUTE53 else ()
    return Desired(
        packages=("python3", "python3-acme", "python3-cryptography", "python3-dnspython", "python3-josepy", *aws),
        files=(
            *_program(PROGRAM),
            File(CONFIG, text, mode=0o600, secret=True),
            File(service, env.render("acme/ops.service.j2", **values)),
            File(timer, env.render("acme/ops.timer.j2", seconds=host.setting.acme_check_seconds)),
        ),
        units=(Unit(f"{OPS_UNIT}.timer"),),
        states=(_shown(env),) if host == env.speaker("ops") else (),
    )


def configuration(env: Environment, host: Host) -> dict[str, Any]:
    """What the program of an ops host reads."""
    setting = env.setting
    return {
        "directories": list(setting.acme_directories),
        "staging": setting.acme_staging_directory,
        "names": settings.names(env),
        "contact": setting.acme_contact,
        "profile": setting.acme_profile,
        "external": settings.external(env),
        "ca_file": setting.acme_ca_file,
        "resolvers": list(setting.acme_resolvers),
        "information_seconds": setting.acme_information_seconds,
        "account_key": account.key(env),
        "proof": settings.proof(env),
        "edges": {each.name: each.address for each in env.group("edge")},
        "http_port": setting.nginx_http_port,
        "https_port": setting.nginx_https_port,
        "port": setting.acme_port,
        "rank": [each.name for each in env.group("ops")].index(host.name),
        "tls": TLS,
    }


def _shown(env: Environment) -> State:
    """Every edge host shows the certificate that the ops host has, for the planned names."""
    reached = {each.name: each.address for each in env.group("edge") if each.name not in env.left_out}
    items: dict[str, dict[str, Any]] = {"public certificate": {"names": sorted(settings.names(env)), "valid": True}}
    items |= {f"public certificate of {name}": {"shown": True} for name in reached}
    context = {"edges": reached, "https_port": env.setting.nginx_https_port, "names": settings.names(env)}
    return State("public certificate", HOST / "state.py", items, context | {"record": RECORD})


def _program(module: str) -> list[File]:
    return [File(f"{LIBRARY}/{path}", text) for path, text in program([module]).items()]
