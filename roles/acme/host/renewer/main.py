"""What a timer and runs start on ops hosts: `python3 -m roles.acme.host.renewer.main CONFIG [now]`.

Each start does what is due: learn which certificate edge hosts show, order another one, deliver it, and ask again from
outside. `now` is the word of a run: an order that is missing does not wait for its time.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError, held
from nexus.agent.wait import tries
from roles.acme.host import edges
from roles.acme.host.places import STATE
from roles.acme.host.renewer import leaf, record, renewal
from roles.acme.host.renewer.leaf import Leaf
from roles.acme.host.renewer.record import Record

RELOAD_SECONDS = 10  # until new workers of Nginx serve

Config = Mapping[str, Any]


def main(path: str, by_run: bool = False) -> int:
    """0 where every edge host shows the certificate and none is overdue."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        config = json.load(stream)
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    with held(f"{STATE}/lock"):
        known = record.read()
        try:
            wrong = start(config, known, by_run)
        finally:
            record.write(known)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def start(config: Config, known: Record, by_run: bool) -> list[str]:
    """Do what is due; what could not be done, a line each. `known` is changed."""
    with open(config["tls"]["ca"], encoding="utf-8") as stream:
        internal = leaf.subject(stream.read())
    shown = look(config)
    own = adopt(config, known, shown, internal)
    wrong = renew(config, known, own, by_run)
    own = record.leaf_of(known)
    if own and own.ends > time.time():
        wrong += deliver(config, known, own, shown)
    known["edges"] = {
        name: {"error": str(one)} if isinstance(one, RemoteError) else {"serial": one.serial, "ends": one.ends}
        for name, one in shown.items()
    }
    return wrong


def look(config: Config) -> dict[str, Leaf | RemoteError]:
    """{edge host: the certificate that it shows to clients, or why it shows none}."""
    return edges.of_each(config, lambda name: leaf.from_der(edges.shown(config, name)))


def adopt(config: Config, known: Record, shown: Mapping[str, Any], internal: str) -> Leaf | None:
    """The certificate to show: that of the record, or a newer one that an edge host has from another ops host."""
    own = record.leaf_of(known)
    for name, one in shown.items():
        if isinstance(one, RemoteError) or one.issuer == internal or one.names != frozenset(config["names"]):
            continue
        if one.ends > time.time() and (own is None or one.begins > own.begins):
            try:
                pair = edges.kept(config, name)
                leaf.check(pair["chain"], pair["key"], config["names"], time.time())
            except RemoteError as error:
                print(f"the newer certificate of {name} cannot be taken over: {error}", file=sys.stderr)
                continue
            own = record.keep(known, pair["chain"], pair["key"], pair["authority"])
            print(f"took over serial {own.serial} from {name}")
    return own


def renew(config: Config, known: Record, own: Leaf | None, by_run: bool) -> list[str]:
    """Order a certificate if one is due; the reason where that failed."""
    wrong = renewal.renew(config, known, own, by_run, lambda: record.write(known))
    if wrong:
        known.setdefault("failing_since", time.time())
        known["error"] = "; ".join(wrong)
    else:
        known.pop("failing_since", None)
        known.pop("error", None)
    return wrong


def deliver(config: Config, known: Record, own: Leaf, shown: dict[str, Leaf | RemoteError]) -> list[str]:
    """Give the certificate to edge hosts that do not show it, and ask them again; a line for each that does not."""

    def carry(name: str) -> Leaf:
        edges.deliver(config, name, known["pair"])
        for _ in tries(RELOAD_SECONDS, pause=0.2):
            found = leaf.from_der(edges.shown(config, name))
            if found.serial == own.serial:
                print(f"{name} shows serial {own.serial}")
                return found
        raise RemoteError(f"it took serial {own.serial} and still shows {found.serial}: systemctl status nginx there")

    late = [name for name, one in shown.items() if isinstance(one, RemoteError) or one.serial != own.serial]
    shown |= edges.of_each({**config, "edges": {name: config["edges"][name] for name in late}}, carry)
    return [f"{name}: {one}" for name, one in shown.items() if isinstance(one, RemoteError)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:] == ["now"]))
