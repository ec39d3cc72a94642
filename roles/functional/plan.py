"""Which functional checks an environment can run, and the request that has the edge host run them."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nexus.catalogue.functional import FunctionalCheck, FunctionalRequest
from nexus.environment.environment import Environment, Host
from roles.certificate.plan import edge_place
from roles.image.checkout import checkout
from roles.nginx.location import closed_services
from roles.service.engine import SWARM, engine_of

REMOTE = Path(__file__).parent / "host/checks.py"
OWN = "nexus-cos-check"
TOKEN_SECONDS = 300


def asking(env: Environment) -> list[str]:
    """The edge host that checks services in this run: the first that is not left out.

    Empty without edge hosts, and where services run in a cluster of Kubernetes, to which edge hosts send nothing.
    """
    return [env.speaker("edge").name] if env.group("edge") and engine_of(env) == SWARM else []


def checks(env: Environment, writing: Collection[str] = (), full: bool = False) -> dict[str, list[FunctionalCheck]]:
    """{service: its checks} for services that run shipped code and are open.

    Checks that write are included for services in `writing`, or with `full` for every service.
    """
    if not (code := checkout(env)):
        return {}
    closed = closed_services(env, env.setting.nginx_maintenance)
    found = {}
    for name, service in env.catalogue.services.items():
        if service.functional and code.has(service) and name not in closed:
            wanted = [each for each in service.functional if full or name in writing or not each.writes]
            found[name] = wanted
    return {name: wanted for name, wanted in found.items() if wanted}


def context(env: Environment, edge: Host, wanted: Mapping[str, Collection[FunctionalCheck]]) -> dict[str, Any]:
    """What the edge host needs to run these checks, with a new mark each time."""
    mark = f"{OWN}-{uuid.uuid4().hex[:12]}"
    domain = f"api.{env.setting.domain}"
    return {
        "mark": mark,
        "seconds": int(env.setting.functional_answer_seconds),
        "places": {
            "edge": edge_place(edge, domain),
            "router": {"address": "127.0.0.1", "port": int(env.setting.router_port)},
        },
        "services": {
            name: [
                {
                    "name": check.name,
                    "at": check.at,
                    "headers": _headers(env, name, check, mark, domain),
                    "requests": [request_data(request) for request in check.requests],
                }
                for check in found
            ]
            for name, found in wanted.items()
        },
    }


def request_data(request: FunctionalRequest) -> dict[str, Any]:
    """A request as roles.functional.host.check takes it."""
    return request.model_dump()


def token(key: str, user: str, now: float, seconds: int = TOKEN_SECONDS) -> str:
    """A token for this user, signed as services verify it: HS256, valid for so many seconds."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"userId": user, "iat": int(now), "exp": int(now) + seconds}]
    text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
    return f"{text}.{_base64(hmac.digest(key.encode(), text.encode(), hashlib.sha256))}"


def _headers(env: Environment, name: str, check: FunctionalCheck, mark: str, domain: str) -> dict[str, str]:
    if check.at == "router":  # what the edge would have set
        own = {"X-Nexus-Service": name, "Host": name}
        shake = env.catalogue.handshake
        return own | ({shake.header: shake.value} if env.catalogue.service(name).handshake else {})
    found = {"Host": domain}
    if env.setting.nginx_auth_request:
        found["Authorization"] = f"Bearer {token(env.secret('service/jwt'), mark, time.time())}"
    return found


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
