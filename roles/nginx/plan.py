"""Nginx of one edge host."""

import hashlib
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, State, Unit
from roles.acme.account import thumbprint
from roles.acme.host.places import PUBLIC
from roles.acme.plan import first_certificate
from roles.base.logs import open_logs
from roles.certificate.host.public import CURRENT
from roles.certificate.plan import automatic, clients_pair
from roles.frontend.site import PORTAL
from roles.nginx.front_end import ROOT_FILES, front_ends, policy
from roles.nginx.location import locations, tuning
from roles.nginx.login import login

IN_ORDER = ("nginx.*", "libnginx-mod-.*")
DIRECTORY = "/etc/nginx"
OWN = f"{DIRECTORY}/nexus-cos"
SITES = f"{OWN}/sites"  # servers of module front ends with their own host names: *.conf
FRONTENDS = f"{OWN}/frontends"  # locations of front ends below the platform's own domain: *.conf
STAMP = f"{OWN}/stamp.conf"  # hash of all other files, which the running Nginx names on its status port
BUFFERS = "/var/lib/nginx"  # requests and answers that do not fit into memory
BUFFERED = ("body", "fastcgi", "proxy", "scgi", "uwsgi")
PARTS = ("limit", "cors", "log", "tls", "header", "error", "proxy", "login", "gateway", "frontend", "site")
TICKET, TICKET_BYTES = "nginx/session-ticket", 80  # AES-256
MAIN_CONTEXT = ("worker_processes", "worker_rlimit_nofile")
# Headers that could name a user: never a client's own.
IDENTITY = ("X-User-Id", "X-User", "X-User-Email", "X-User-Roles", "X-Remote-User", "X-Forwarded-User")
EVENTS_CONTEXT = ("worker_connections", "use", "multi_accept")

# status, code in the answer, text. The envelope is the gateway's.
ERRORS = (
    (400, "BAD_REQUEST", "The request is malformed."),
    (401, "UNAUTHORIZED", "A valid token is needed."),
    (403, "FORBIDDEN", "Access is denied."),
    (404, "NOT_FOUND", "There is nothing at this path."),
    (405, "METHOD_NOT_ALLOWED", "This path does not take this method."),
    (408, "REQUEST_TIMEOUT", "The request did not arrive in time."),
    (413, "PAYLOAD_TOO_LARGE", "The body of the request is too large."),
    (414, "URI_TOO_LONG", "The address of the request is too long."),
    (429, "RATE_LIMITED", "Too many requests."),
    (431, "HEADERS_TOO_LARGE", "The headers of the request are too large."),
    (500, "INTERNAL_ERROR", "The request could not be processed."),
    (502, "BAD_GATEWAY", "The service gave no valid answer."),
    (503, "SERVICE_UNAVAILABLE", "The service is not available."),
    (504, "GATEWAY_TIMEOUT", "The service did not answer in time."),
)


def plan(env: Environment, host: Host) -> Desired:
    """Package, configuration and unit; a reload reads every file again."""
    files = configuration(env, host)
    stamp = hashlib.sha256(b"".join(file.data for file in files)).hexdigest()
    reload_on = (*(file.path for file in files), *clients_pair(host))
    first = first_certificate(env, host)
    return Desired(
        packages=("nginx",),
        directories=(
            *first.directories,
            *(Directory(path) for path in (OWN, SITES, FRONTENDS, BUFFERS)),
            *(Directory(f"{BUFFERS}/{part}", owner=host.setting.nginx_user, mode=0o700) for part in BUFFERED),
            Directory(host.setting.nginx_log_directory, group="adm"),
        ),
        files=(*files, File(STAMP, f'return 200 "{stamp}";\n', implied=True), *first.files),
        links=first.links,
        units=(Unit("nginx.service", reload_on=reload_on, reload_check="nginx -t -q"),),
        # a reload that "succeeds" may still leave the old workers, for instance when a port is taken
        states=(
            *first.states,
            State(
                "nginx",
                Path(__file__).parent / "host/state.py",
                items={"nginx config": {"sha256": stamp}},
                implied=True,
                context={
                    "port": host.setting.nginx_status_port,
                    "log": f"{host.setting.nginx_log_directory}/error.log",
                },
            ),
            open_logs("nginx.service", host.setting.nginx_log_directory, "nginx", "-s", "reopen"),
        ),
    )


def configuration(env: Environment, host: Host) -> tuple[File, ...]:
    """nginx.conf and its parts. Debian's own sites are not included, so they need not be removed."""
    values = _values(env, host)
    parts = [File(f"{OWN}/{part}.conf", env.render(f"nginx/{part}.conf.j2", **values)) for part in PARTS]
    keys = {
        key: name
        for name in host.setting.nginx_api_key_clients
        for key in env.secrets.accepted(f"nginx/api-key/{name}")
    }
    return (
        File(f"{DIRECTORY}/nginx.conf", env.render("nginx/nginx.conf.j2", **values)),
        *parts,
        *_tickets(env),
        File(f"{OWN}/key.conf", env.render("nginx/key.conf.j2", keys=keys), mode=0o640, secret=True),
    )


def _values(env: Environment, host: Host) -> dict[str, Any]:
    gateway, setting = env.catalogue.gateway, host.setting
    own = tuning(env, setting)
    own.pop("client_max_body_size")  # each location has its own
    found = locations(env, setting)
    pages = front_ends(env, setting)
    return {
        "host": host,
        "gateway": gateway,
        "main": {name: own.pop(name) for name in MAIN_CONTEXT if name in own},
        "events": {name: own.pop(name) for name in EVENTS_CONTEXT if name in own},
        "http": own,
        "locations": found,
        "errors": ERRORS,
        "identity": IDENTITY,
        "tickets": [file.path.removeprefix(f"{DIRECTORY}/") for file in _tickets(env)],
        "login": login(env, setting) if setting.nginx_auth_request else None,
        "csp": policy(env, setting),
        "pages": pages,
        "closed": any(each.closed for each in found) or any(page.closed for page in pages),
        "slugs": "|".join(page.site.slug for page in pages if page.site.slug != PORTAL),
        "root_files": "|".join(ROOT_FILES),
        "certificate": clients_pair(host),
        "automatic": automatic(host),
        "public": f"{CURRENT}/{PUBLIC}",
        "thumbprint": thumbprint(env) if automatic(host) else "",
        "origins": [f"https://{setting.domain}", *setting.nginx_cors_origins],
        "versions": "|".join(prefix.split("/")[2] for prefix in gateway.versioning.prefixes),
    }


def _tickets(env: Environment) -> tuple[File, ...]:
    """Keys of session tickets, by which a client that moves to another edge host resumes its session there.

    The first one makes tickets, each one takes them. Without other edge hosts the cache of this one is enough.
    """
    if len(env.group("edge")) < 2:
        return ()
    keys = [hashlib.shake_256(value.encode()).digest(TICKET_BYTES) for value in env.secrets.accepted(TICKET)]
    return tuple(
        File(f"{OWN}/ticket{number}.key", key, mode=0o600, secret=True) for number, key in enumerate(keys, start=1)
    )
