"""What an ops host knows of the certificate and of orders, in one file that only root reads.

"pair" is the certificate with its key and authority; "serial", "names", "begins", "ends" are read from it. "open" are
orders under way, {directory: order}; "orders" is how many were made; "failures" is {directory: {"count", "again",
"asked", "error"}}; "information" is the renewal information, which is asked for again at "ask_again"; "staged" are the
names that were proven at the staging directory, "edges" is what edge hosts show. "lacking_since" and "failing_since"
are moments, "error" is the last reason.
"""

import json
from typing import Any

from nexus.agent.file import read_json, write_atomic
from roles.acme.host.places import RECORD
from roles.acme.host.renewer.leaf import Leaf, from_pem

Record = dict[str, Any]


def read() -> Record:
    """The record; with all that is counted in it where there is none."""
    return {"orders": 0, "failures": {}, "open": {}, "edges": {}, **read_json(RECORD)}


def write(record: Record) -> None:
    """Write the record, whole or not at all."""
    write_atomic(RECORD, json.dumps(record, indent=1).encode(), 0o600)


def leaf_of(record: Record) -> Leaf | None:
    """The certificate that all edge hosts should show."""
    return from_pem(record["pair"]["chain"]) if "pair" in record else None


def keep(record: Record, chain: str, key: str, authority: str) -> Leaf:
    """Make this the certificate that all edge hosts should show."""
    leaf = from_pem(chain)
    record["pair"] = {"chain": chain, "key": key, "authority": authority}
    record |= {"serial": leaf.serial, "names": sorted(leaf.names), "begins": leaf.begins, "ends": leaf.ends}
    record["open"] = {}
    for done in ("lacking_since", "information", "ask_again"):
        record.pop(done, None)
    return leaf
