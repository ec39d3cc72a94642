"""The settings of the role as its plan needs them, and what is refused of them."""

from typing import Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError, nearest
from roles.certificate.plan import LEAF

HTTP, RFC2136, ROUTE53 = "http", "dns-rfc2136", "dns-route53"
NAMES_MOST = 25  # of a certificate, by the narrowest profile of an authority
ALGORITHMS = ("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")


def enabled(env: Environment) -> bool:
    """Whether this environment orders public certificates."""
    return bool(env.setting.acme_directories)


def names(env: Environment) -> list[str]:
    """The names in the certificate: those that Nginx serves, and `acme_names`."""
    domain = env.setting.domain
    return list(dict.fromkeys([domain, f"api.{domain}", *env.setting.acme_names]))


def check(env: Environment) -> None:
    """OperatorError for settings that no certificate can come of."""
    setting = env.setting
    for needed in ("edge", "ops"):
        if not env.group(needed):
            raise OperatorError(
                f"acme_directories is set, and {env.name} has no {needed} host: ops hosts order the certificate that "
                "edge hosts show. Empty acme_directories, or add a host"
            )
    for url in [*setting.acme_directories, *filter(None, [setting.acme_staging_directory])]:
        if not str(url).startswith("https://"):
            raise OperatorError(f'"{url}" is not a directory of an authority: acme_directories needs https:// URLs')
    if setting.nginx_certificate != LEAF:
        raise OperatorError(
            f"nginx_certificate is {setting.nginx_certificate}, and acme_directories is set: both say what Nginx "
            "shows. Remove one of them"
        )
    if len(names(env)) > NAMES_MOST:
        raise OperatorError(
            f"acme_names makes {len(names(env))} names, and a certificate has at most {NAMES_MOST}: remove some"
        )
    if wild := [name for name in names(env) if "*" in name and setting.acme_challenge == HTTP]:
        raise OperatorError(f"{wild[0]} in acme_names cannot be proven over HTTP: set acme_challenge to {RFC2136}")
    proof(env)
    external(env)


def external(env: Environment) -> dict[str, dict[str, str]]:
    """{directory: {"id", "key"}} of the accounts that authorities gave us; OperatorError for one without its key."""
    found = {}
    for url, identity in env.setting.acme_external_accounts.items():
        secret = f"acme/external-key/{identity}"
        found[url] = {"id": str(identity), "key": _entered(env, secret, f"acme_external_accounts names {identity}")}
    return found


def proof(env: Environment) -> dict[str, Any]:
    """How names are proven, as the program of ops hosts reads it."""
    setting, kind = env.setting, env.setting.acme_challenge
    if kind == HTTP:
        return {"kind": kind}
    if kind not in (RFC2136, ROUTE53):
        known = (HTTP, RFC2136, ROUTE53)
        raise OperatorError(f'acme_challenge is "{kind}": set {HTTP}, {RFC2136} or {ROUTE53}{nearest(kind, known)}')
    _require(env, "acme_dns_zone", kind)
    if kind == ROUTE53:
        _require(env, "acme_route53_zone", kind)
        credentials = env.secrets.optional("acme/route53") or ""
        zone = {"zone": setting.acme_dns_zone, "id": setting.acme_route53_zone}
        return {"kind": kind, **zone, "credentials": credentials}
    for name in ("acme_dns_server", "acme_dns_key_name"):
        _require(env, name, kind)
    if setting.acme_dns_key_algorithm not in ALGORITHMS:
        raise OperatorError(
            f'acme_dns_key_algorithm is "{setting.acme_dns_key_algorithm}": set one of {", ".join(ALGORITHMS)}'
        )
    return {
        "kind": kind,
        "zone": setting.acme_dns_zone,
        "server": setting.acme_dns_server,
        "key_name": setting.acme_dns_key_name,
        "key": _entered(env, "acme/dns-key", f"acme_challenge is {kind}"),
        "key_algorithm": setting.acme_dns_key_algorithm,
        "wait_seconds": setting.acme_dns_wait_seconds,
    }


def _require(env: Environment, name: str, kind: str) -> None:
    if not env.setting[name]:
        raise OperatorError(f"acme_challenge is {kind}, and {name} is empty: set it")


def _entered(env: Environment, secret: str, why: str) -> str:
    """A secret that others made."""
    found = env.secrets.optional(secret)
    if not found:
        raise OperatorError(f'{why}, and the secret "{secret}" is missing: enter it with `make secrets-edit`')
    return found
