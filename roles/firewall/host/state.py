"""The firewall on its host: what is in force, new rules on trial, and their confirmation.

New rules are in force at once, and a timer of systemd brings the old ones back. `confirm` ends the trial: it is called
only after a new connection from the operator's machine was possible. Only confirmed rules are loaded at boot.
"""

import hashlib
import ipaddress
import json
import os
from collections.abc import Mapping
from typing import Any

from nexus.agent.change import Change
from nexus.agent.file import read_json, write_atomic
from nexus.agent.lib import RemoteError, run

NEW, OLD = "/run/nexus-cos/firewall-new.nft", "/run/nexus-cos/firewall-old.nft"
TRIED = "/run/nexus-cos/firewall.json"  # what is on trial, by its stamp and by what the kernel shows
CONFIRMED = "/var/lib/nexus-cos/firewall.json"  # the same of what was confirmed
TRIAL, NONE = "on trial", "none"
END = "        # what nobody declared"  # begins the line after all that a chain accepts
REVERT = "nexus-firewall-revert"
NO_TABLE = "table inet nexus\ndelete table inet nexus\n"


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, Any]:
    """The stamp of the confirmed rules; what differs where they are on trial, gone or changed by hand."""
    if not any(map(os.path.exists, (context["rules"], TRIED))) or not (now := shown()):
        return {"firewall": {"rules": NONE}}
    if os.path.exists(TRIED) and pending():
        return {"firewall": {"rules": TRIAL}}
    known = read_json(CONFIRMED)
    return {"firewall": {"rules": known["stamp"] if known.get("shown") == digest(now) else "not those of a run"}}


def apply(change: Change) -> None:
    """Try the rules: the old ones come back unless `confirm` is called in time. Without any, the table goes."""
    if change.items["firewall"]["rules"] == NONE:
        end_trial()
        run(["nft", "delete", "table", "inet", "nexus"])
        for path in (change.context["rules"], CONFIRMED, TRIED):
            if os.path.exists(path):
                os.remove(path)
        return
    begin_trial(change.context, change.payload["text"], change.payload["stamp"])


def open_ports(context: Mapping[str, Any]) -> None:
    """Try the rules of the context together with the confirmed ones."""
    former = ""
    if os.path.exists(context["rules"]) and shown():
        with open(context["rules"], encoding="utf-8", errors="replace") as source:
            former = source.read()
    text = united(context["text"], former)
    begin_trial(context, text, context["stamp"] if text == context["text"] else more_than(context["stamp"]))


def more_than(stamp: str) -> str:
    """The stamp of planned rules together with former ones, of a run that has not come to its end."""
    return f"more than {stamp}"


def united(text: str, former: str) -> str:
    """Rules with all that former ones accept."""
    known, chain = set(text.splitlines()), ""
    more: dict[str, list[str]] = {}
    for line in former.splitlines():
        chain = line if line.startswith("    chain ") else chain
        if " accept" in line and line not in known:
            more.setdefault(chain, []).append(line)
    lines, chain = list[str](), ""
    for line in text.splitlines():
        chain = line if line.startswith("    chain ") else chain
        if line.startswith(END):
            lines += more.pop(chain, [])
        lines.append(line)
    return "\n".join(lines) + "\n"


def begin_trial(context: Mapping[str, Any], text: str, stamp: str) -> None:
    """Put rules into force, and set the timer that brings the old ones back."""
    refuse_lockout(context["operators"])
    os.makedirs(os.path.dirname(NEW), exist_ok=True)
    write_atomic(NEW, text.encode())
    run(["nft", "--check", "-f", NEW])
    before = shown()
    write_atomic(OLD, (NO_TABLE + before).encode())
    end_trial()
    when = (f"--on-active={context['seconds']}", "--timer-property=AccuracySec=100ms")
    run(["systemd-run", "--collect", f"--unit={REVERT}", *when, "nft", "-f", OLD])
    run(["nft", "-f", NEW])
    write_atomic(TRIED, json.dumps({"stamp": stamp, "shown": digest(shown())}).encode())


def confirm(context: Mapping[str, Any]) -> None:
    """Keep the rules that are on trial; RemoteError if the old ones are already back."""
    known = read_json(TRIED)
    if known.get("shown") != digest(shown()):
        raise RemoteError("the old rules of the firewall are back: the trial of the new ones had ended. Rerun")
    with open(NEW, "rb") as source:
        write_atomic(context["rules"], source.read())
    write_atomic(CONFIRMED, json.dumps(known).encode())
    end_trial()
    os.remove(TRIED)


def refuse_lockout(operators: list[str]) -> None:
    """RemoteError if the rules would shut out where this run comes from."""
    client = sender()
    if not operators or not client:
        return
    address = ipaddress.ip_address(client)
    if not any(address in ipaddress.ip_network(network) for network in operators):
        raise RemoteError(
            f"this run comes from {client}, and firewall_operator_networks has only {', '.join(operators)}: it would "
            "shut itself out. Add its network"
        )


def pending() -> bool:
    """Whether the timer that brings the old rules back is set."""
    return "ActiveState=active" in run(["systemctl", "show", "--property=ActiveState", f"{REVERT}.timer"])


def end_trial() -> None:
    """Stop the timer if it runs."""
    if pending():
        run(["systemctl", "stop", f"{REVERT}.timer"])


def shown() -> str:
    """Our table as the kernel has it, without counters; empty where there is none."""
    try:
        return run(["nft", "--stateless", "list", "table", "inet", "nexus"])
    except RemoteError:
        return ""


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def sender() -> str:
    """The address that this run's connection comes from: in the environment of a process that started this one."""
    process = os.getpid()
    while process > 1:
        with open(f"/proc/{process}/environ", "rb") as source:
            variables = dict(one.partition(b"=")[::2] for one in source.read().split(b"\0"))
        if connection := variables.get(b"SSH_CONNECTION"):
            return connection.split(b" ")[0].partition(b"%")[0].decode(errors="replace")
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as source:
            process = int(source.read().rpartition(")")[2].split()[1])
    return ""
