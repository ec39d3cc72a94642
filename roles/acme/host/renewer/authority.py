"""One authority and our account there, in the terms of RFC 8555. The order of calls is in order.py."""

from collections.abc import Mapping, Sequence
from typing import Any

from acme import challenges, client, errors, messages
from josepy.json_util import field
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from roles.acme.host.renewer.failure import OrderError
from roles.acme.host.renewer.network import Network

Config = Mapping[str, Any]
AGENT = "nexus-cos-acme"


class ReplacingOrder(messages.NewOrder):
    """A new order that names the certificate which it replaces (RFC 9773), so that rate limits do not apply."""

    replaces: str = field("replaces", omitempty=True)


class Authority(client.ClientV2):
    """The authority of a directory. Errors are those of Network, and messages.Error for a refusal."""

    net: Network

    def __init__(self, url: str, config: Config) -> None:
        self.url = url
        key = JWKEC.load(config["account_key"].encode())
        net = Network(key, alg=ES256, verify_ssl=config["ca_file"] or True, user_agent=AGENT, timeout=30)
        super().__init__(self.get_directory(url, net), net)
        self.key: Any = key

    def open_account(self, config: Config) -> None:
        """Use our account; make it where the authority does not know it (any more)."""
        values: dict[str, Any] = {"terms_of_service_agreed": True}
        if config["contact"]:
            values["email"] = config["contact"]
        if external := config["external"].get(self.url):
            values["external_account_binding"] = messages.ExternalAccountBinding.from_data(
                self.key.public_key(), external["id"], external["key"], self.directory
            )
        elif self.external_account_required():
            raise OrderError(
                f"{self.url} requires an account of its own: set acme_external_accounts, and the secret "
                "acme/external-key/KEY-ID"
            )
        body = messages.NewRegistration.from_data(**values)
        self.net.account = None
        try:
            self.net.account = self.new_account(body)
        except errors.ConflictError as known:
            self.net.account = messages.RegistrationResource(body=messages.Registration(), uri=known.location)

    def identities(self) -> Sequence[str]:
        """Names by which CAA records mean this authority; empty if it does not say."""
        return tuple(self.directory.meta.caa_identities or ())

    def order(self, names: Sequence[str], profile: str, replaces: str) -> tuple[str, messages.Order]:
        """The URL and content of a new order; one that replaces nothing if the authority knows no such certificate."""
        try:
            return self._order(names, profile, replaces)
        except messages.Error as refusal:  # it has another issuer now, or the certificate was replaced already
            if not replaces or str(refusal.typ).endswith(":rateLimited"):
                raise
            return self._order(names, profile, "")

    def _order(self, names: Sequence[str], profile: str, replaces: str) -> tuple[str, messages.Order]:
        identifiers = [messages.Identifier(typ=messages.IDENTIFIER_FQDN, value=name) for name in names]
        body = ReplacingOrder(identifiers=identifiers, profile=profile, replaces=replaces)
        reply = self._post(self.directory["newOrder"], body, repeatable=False)
        return str(reply.headers["Location"]), messages.Order.from_json(reply.json())

    def look(self, url: str) -> messages.Order:
        """An order as it is now."""
        found: messages.Order = messages.Order.from_json(self._post_as_get(url).json())
        return found

    def authorization(self, url: str) -> messages.Authorization:
        """An authorization as it is now."""
        found: messages.Authorization = messages.Authorization.from_json(self._post_as_get(url).json())
        return found

    def answer(self, challenge: messages.ChallengeBody) -> None:
        """Ask for the validation of a challenge."""
        self._post(challenge.uri, challenge.response(self.key))

    def finalize(self, order: messages.Order, request: Any) -> None:
        """Ask for the certificate of an order that is ready."""
        self._post(order.finalize, messages.CertificateRequest(csr=request))

    def chain(self, order: messages.Order) -> str:
        """The certificate of an order and those that sign it, PEM."""
        return str(self._post_as_get(order.certificate).text)

    def information(self, identifier: str) -> tuple[Mapping[str, Any], float] | None:
        """Renewal information of a certificate and the seconds until it should be asked for again; None without."""
        try:
            url = self.directory["renewalInfo"]
        except KeyError:
            return None
        return self.net.get(f"{url.rstrip('/')}/{identifier}").json(), self.net.retry_after()


def challenge_of(found: messages.Authorization, kind: type[challenges.Challenge]) -> messages.ChallengeBody:
    """The challenge of a kind; OrderError if the authority does not offer it for the name."""
    for body in found.challenges:
        if isinstance(body.chall, kind):
            return body
    raise OrderError(f"the authority offers no {kind.typ} for {found.identifier.value}: set acme_challenge")
