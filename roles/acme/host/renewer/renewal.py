"""Whether a certificate is due, and at which authority it is ordered."""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nexus.agent.lib import RemoteError
from roles.acme.host.renewer import order, record
from roles.acme.host.renewer.authority import Authority
from roles.acme.host.renewer.dns_proof import DnsProof, Route53Zone, UpdatedZone
from roles.acme.host.renewer.due import again, due
from roles.acme.host.renewer.failure import AwayError, OrderError
from roles.acme.host.renewer.leaf import Leaf
from roles.acme.host.renewer.proof import HttpProof, Proof
from roles.acme.host.renewer.record import Record

LEAST_SECONDS = 60  # between two questions for renewal information, whatever an authority says

Config = Mapping[str, Any]
Save = Callable[[], None]


def renew(config: Config, known: Record, own: Leaf | None, by_run: bool, save: Save) -> list[str]:
    """Order a certificate if one is due; the reasons where no authority gave one."""
    now = time.time()
    names = frozenset(config["names"])
    lacking = own is None or own.ends <= now or own.names != names
    if own is None or lacking:
        known.setdefault("lacking_since", now)
    else:
        known.pop("lacking_since", None)
        _ask(config, known, own, now)
    rank = 0 if by_run else config["rank"]
    when, why = due(own, known, names, rank, now)
    if when > now:
        return []
    print(f"a certificate is due: {why}")
    wrong: list[str] = []
    staging = config["staging"] if lacking and known.get("staged") != config["names"] else ""
    if staging and not _attempt(known, staging, by_run, partial(_rehearse, config, known), wrong):
        return wrong
    for url in config["directories"]:
        if _attempt(known, url, by_run, partial(_order, config, known, own, url, save), wrong):
            return []
    return wrong


def proof_of(config: Config) -> Proof:
    """How names are proven, by the settings."""
    kind = config["proof"]["kind"]
    if kind == "http":
        return HttpProof(config["edges"], config["http_port"])
    zone = UpdatedZone(config["proof"]) if kind == "dns-rfc2136" else Route53Zone(config["proof"])
    return DnsProof(zone, config["proof"]["zone"], config["resolvers"])


def _attempt(known: Record, url: str, by_run: bool, work: Callable[[], None], wrong: list[str]) -> bool:
    """Do the work of an authority unless it is too early to ask again; whether it succeeded."""
    now, failed = time.time(), known["failures"].get(url, {"count": 0, "again": 0.0, "asked": False, "error": ""})
    if failed["again"] > now and (failed["asked"] or not by_run):
        wrong.append(f"{failed['error']}. Not asked again before {time.ctime(failed['again'])}")
        return False
    try:
        work()
    except AwayError as error:
        known["failures"][url] = {**failed, "again": now, "asked": False, "error": str(error)}
    except OrderError as error:
        until = again(failed["count"] + 1, now, error.again)
        found = {"count": failed["count"] + 1, "again": until, "asked": error.again > 0, "error": str(error)}
        known["failures"][url] = found
    except RemoteError as error:
        known["failures"][url] = {**failed, "again": again(1, now), "asked": False, "error": str(error)}
    else:
        known["failures"].pop(url, None)
        return True
    wrong.append(known["failures"][url]["error"])
    return False


def _rehearse(config: Config, known: Record) -> None:
    """Order at the staging directory, whose certificate nobody trusts; the real authorities come after that."""
    order.obtain(config["staging"], config["names"], config, proof_of(config), {}, lambda: None, "")
    known["staged"] = config["names"]
    print(f"the order at {config['staging']} succeeded")


def _order(config: Config, known: Record, own: Leaf | None, url: str, save: Save) -> None:
    replaces = own.identifier if own and url == known["pair"]["authority"] and known.get("information") else ""
    kept = known["open"].setdefault(url, {})
    before = kept.get("url")

    def note() -> None:
        if kept.get("url") not in (None, before):
            known["orders"] += 1
        save()

    chain, key = order.obtain(url, config["names"], config, proof_of(config), kept, note, replaces)
    found = record.keep(known, chain, key, url)
    save()
    print(f"{url} issued serial {found.serial} until {time.ctime(found.ends)}")


def _ask(config: Config, known: Record, own: Leaf, now: float) -> None:
    """Ask the authority when the certificate should be renewed, if it is time for that question."""
    if known.get("ask_again", 0.0) > now:
        return
    limit = float(config["information_seconds"])
    known["ask_again"] = now + limit
    try:
        answer = Authority(known["pair"]["authority"], config).information(own.identifier)
        if answer is None:
            return
        window, wait = answer[0]["suggestedWindow"], answer[1]
        start, end = (dt.datetime.fromisoformat(window[part]).timestamp() for part in ("start", "end"))
    except (RemoteError, ValueError, KeyError, TypeError):
        return  # the last answer counts, or the lifetime
    known["ask_again"] = now + min(max(wait or limit, LEAST_SECONDS), limit)
    known["information"] = {"serial": own.serial, "start": start, "end": end}
