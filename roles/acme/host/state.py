"""Runs on an ops host: whether every edge host shows the public certificate. A run starts the program if not."""

import json
import os
import ssl
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from nexus.agent.change import Change
from nexus.agent.file import read_json
from nexus.agent.lib import RemoteError
from roles.acme.host.edges import of_each, shown
from roles.acme.host.places import CONFIG, LIBRARY, PROGRAM

ALL = "public certificate"
SECONDS = 900  # of two orders at each authority

Item = dict[str, Any]


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, Item]:
    """The names in the certificate of this host and whether it is valid; whether each edge host shows it."""
    known = read_json(context["record"])
    found: dict[str, Item] = {}
    if "pair" in known:
        found[ALL] = {"names": known["names"], "valid": known["ends"] > time.time()}
    own = ssl.PEM_cert_to_DER_cert(first(known["pair"]["chain"])) if "pair" in known else b""
    for name, one in of_each(context, lambda name: shown(context, name)).items():
        item: Item = {"shown": one == own}
        if isinstance(one, RemoteError):
            item["how"] = f"{name} shows no certificate: {one}"
        elif one != own:
            item["how"] = f"{name} shows another certificate"
        found[f"{ALL} of {name}"] = item
    return found


def first(chain: str) -> str:
    """The first certificate of a PEM chain."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return f"{begin}{chain.partition(begin)[2].partition(end)[0]}{end}\n"


def apply(change: Change) -> None:
    """Order and deliver what is missing; RemoteError with the program's words where edge hosts lack it afterwards."""
    done = subprocess.run(
        ["/usr/bin/python3", "-X", "utf8", "-m", PROGRAM, CONFIG, "now"],
        capture_output=True,
        text=True,
        errors="replace",
        cwd="/",
        timeout=SECONDS,
        env={**os.environ, "PYTHONPATH": LIBRARY, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    print(done.stdout, end="", flush=True)
    found = probe(list(change.items), change.context)
    wrong = [
        name for name, wanted in change.items.items() if any(found.get(name, {}).get(k) != wanted[k] for k in wanted)
    ]
    if wrong:
        said = done.stderr.strip().splitlines()[-12:] or [f"{json.dumps(wrong)} are not as planned"]
        raise RemoteError("\n".join([*said, "the timer tries again; until then edge hosts show what they have"]))
