"""The token that requests of checks bring where the edge wants one."""

from __future__ import annotations

import time

from hosts.fleet import Fleet
from roles.functional.plan import TOKEN_SECONDS, token

USER = "nexus-cos-check-tests"


def good(fleet: Fleet) -> str:
    """A new token that the platform's key signed."""
    return token(fleet.env.secret("service/jwt"), USER, time.time())


def bad(fleet: Fleet) -> dict[str, str]:
    """Tokens that must be refused, by what is wrong with them."""
    key, now = fleet.env.secret("service/jwt"), time.time()
    head, body, signature = token(key, USER, now).split(".")
    _, other_body, _ = token(key, "another", now).split(".")
    return {
        "forged": token("not the key", USER, now),
        "expired": token(key, USER, now - TOKEN_SECONDS - 60),
        "of another user": f"{head}.{other_body}.{signature}",
        "unsigned": f"{head}.{body}.",
        "no token": "made-up",
    }


def bearer(fleet: Fleet) -> dict[str, str]:
    """The header with a good token; nothing where login at the edge is off."""
    return {"Authorization": f"Bearer {good(fleet)}"} if fleet.env.setting.nginx_auth_request else {}
