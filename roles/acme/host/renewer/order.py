"""One certificate from one authority. An order that was interrupted is continued, by the next start too.

What must survive is in `kept`, which `save` writes: the order's URL, its key and names. So an answer that is lost
after the last request costs no second order.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from acme import messages
from cryptography import x509

from roles.acme.host.renewer import caa, leaf
from roles.acme.host.renewer.authority import Authority, Config, challenge_of
from roles.acme.host.renewer.failure import AwayError, OrderError
from roles.acme.host.renewer.proof import Proof

Kept = dict[str, Any]
ORDERS = 2  # at most, in one start
PAUSE_SECONDS = 0.5
PATIENCE_SECONDS = 120  # for validations, and for the certificate
KEEP_SECONDS = 86400  # an older order is not continued
FORGOTTEN = (None, "malformed", "accountDoesNotExist", "unauthorized")  # said of an order or account it has lost
FINAL = (messages.STATUS_PROCESSING, messages.STATUS_VALID)


def obtain(
    url: str, names: Sequence[str], config: Config, proof: Proof, kept: Kept, save: Callable[[], None], replaces: str
) -> tuple[str, str]:
    """The chain and the key of a new certificate, PEM; OrderError if it is refused, AwayError if nobody answers."""
    if kept and (kept["names"] != list(names) or kept["at"] < time.time() - KEEP_SECONDS):
        kept.clear()
    made = attempts = 0
    while True:
        attempts += 1
        authority = Authority(url, config)
        try:
            authority.open_account(config)
            if not kept:
                caa.check(names, authority.identities(), config["resolvers"])
                made += 1
                _begin(authority, names, config["profile"], kept, save, replaces)
            found = _finish(authority, proof, kept)
        except messages.Error as error:
            kept.clear()
            save()
            if error.code in FORGOTTEN and made < ORDERS and attempts <= ORDERS:
                continue
            raise OrderError(_told(url, error), authority.net.retry_after()) from None
        except OrderError:
            kept.clear()
            save()
            raise
        except AwayError:
            if not kept and 0 < made < ORDERS:
                continue
            raise
        kept.clear()
        return found


def _begin(
    authority: Authority, names: Sequence[str], profile: str, kept: Kept, save: Callable[[], None], replaces: str
) -> None:
    url, _ = authority.order(names, profile, replaces)
    kept |= {"url": url, "names": list(names), "key": leaf.new_key(), "at": time.time()}
    save()


def _finish(authority: Authority, proof: Proof, kept: Kept) -> tuple[str, str]:
    order = authority.look(kept["url"])
    if order.status == messages.STATUS_PENDING:
        prove(authority, order, proof)
        order = _wait(lambda: authority.look(kept["url"]), messages.STATUS_PENDING, "the order to be ready")
    if order.status == messages.STATUS_READY:
        request = x509.load_pem_x509_csr(leaf.request(kept["key"], kept["names"]))
        try:
            authority.finalize(order, request)
        except messages.Error:
            if authority.look(kept["url"]).status not in FINAL:  # else only the answer to the first request was lost
                raise
        order = _wait(lambda: authority.look(kept["url"]), messages.STATUS_READY, "the order to be processed")
    if order.status == messages.STATUS_PROCESSING:
        order = _wait(lambda: authority.look(kept["url"]), messages.STATUS_PROCESSING, "the certificate")
    if order.status != messages.STATUS_VALID:
        raise OrderError(f"{authority.url}: the order is {order.status.name}: {order.error or 'without a reason'}")
    chain = authority.chain(order)
    leaf.check(chain, kept["key"], kept["names"], time.time())
    return chain, kept["key"]


def prove(authority: Authority, order: messages.Order, proof: Proof) -> None:
    """Prove every name of an order that is not proven yet; OrderError where the authority does not accept that."""
    found = {url: authority.authorization(url) for url in order.authorizations}
    waiting = {url: one for url, one in found.items() if one.status == messages.STATUS_PENDING}
    asked = {url: challenge_of(one, proof.kind) for url, one in waiting.items()}
    shown = [(one.identifier.value, asked[url].chall, authority.key) for url, one in waiting.items()]
    with proof.shown(shown):
        for url, challenge in asked.items():
            try:
                authority.answer(challenge)
            except messages.Error:
                if authority.authorization(url).status == messages.STATUS_PENDING:  # else only an answer was lost
                    raise
        for url in waiting:
            one = _wait(partial(authority.authorization, url), messages.STATUS_PENDING, "a validation")
            if one.status != messages.STATUS_VALID:
                why = next((str(body.error.detail) for body in one.challenges if body.error), "no reason was given")
                raise OrderError(f"{authority.url} could not validate {one.identifier.value}: {why}")


def _wait(look: Callable[[], Any], status: messages.Status, what: str) -> Any:
    """What is looked at, once it no longer has a status."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := look()).status == status:
        if time.monotonic() > deadline:
            raise AwayError(f"{what} did not come within {PATIENCE_SECONDS} s")
        time.sleep(PAUSE_SECONDS)
    return found


def _told(url: str, error: messages.Error) -> str:
    """A refusal in the authority's words, with those about single names."""
    words = [str(error.detail or error)]
    words += [f"{one.identifier.value if one.identifier else ''}: {one.detail}" for one in error.subproblems or ()]
    return f"{url} refuses: {'; '.join(words)}"
