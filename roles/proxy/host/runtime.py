"""HAProxy's runtime API: what a running HAProxy has in memory, compared with its configuration.

An administrator can take a server out, change its weight or address, or pause a frontend without a trace in any file;
a reload keeps most of it.
"""

import socket
from collections.abc import Iterator, Mapping
from typing import Any

SECONDS = 5
QUESTION = "show servers state; show stat -1 5 -1; show info"  # 5: frontends (1) and servers (4)
MAINTENANCE, DRAIN = 0x01, 0x08  # of srv_admin_state: set by hand, and not taken over from a server that is tracked
CHECKED, CHECKING = 0x02, 0x04  # of srv_check_state: configured, and switched on
RATES = ("ConnRateLimit", "SessRateLimit", "SslRateLimit")

Rows = Mapping[tuple[str, str], Mapping[str, str]]  # by section and server
Sections = Mapping[str, Mapping[str, Any]]  # {"listens": bool, "servers": {name: {"address", "connections"}}}


class Fault:
    """What differs in a section, in words, and the command that fixes it; empty if only a reload does."""

    def __init__(self, section: str, words: str, command: str = "") -> None:
        self.section, self.words, self.command = section, words, command


class Running:
    """What HAProxy answered: its servers, its frontends and servers in figures, and its own figures."""

    def __init__(self, servers: Rows, rows: Rows, info: Mapping[str, str]) -> None:
        self.servers, self.rows, self.info = servers, rows, info


def ask(path: str, commands: str) -> str:
    """The answer to commands at HAProxy's socket; OSError where nothing answers in time."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(path)
        connection.sendall(f"{commands}\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode(errors="replace")


def look(path: str) -> Running:
    """What HAProxy has in memory; OSError where it does not answer."""
    states, stats, info = ask(path, QUESTION).split("\n\n", 3)[:3]
    header, *lines = states.splitlines()[1:]
    names = header.removeprefix("# ").split()
    found = [dict(zip(names, line.split(), strict=False)) for line in lines]
    columns, *rows = stats.removeprefix("# ").splitlines()
    table = [dict(zip(columns.split(","), row.split(","), strict=False)) for row in rows]
    return Running(
        {(row["be_name"], row["srv_name"]): row for row in found},
        {(row["pxname"], row["svname"]): row for row in table},
        dict(line.split(": ", 1) for line in info.splitlines() if ": " in line),
    )


def faults(running: Running, sections: Sections, connections: int, stale: bool) -> Iterator[Fault]:
    """All that differs from the plan. `stale`: a reload is due anyway, so only values that it would keep count."""
    for name, section in sections.items():
        if section["listens"]:
            yield from _frontend(running, name, connections, stale)
        for server, wanted in section["servers"].items():
            row = running.servers.get((name, server))
            if row:
                yield from _server(name, server, row)
            if not stale:
                yield from _place(running, name, server, wanted)
    for name, server in () if stale else running.servers:
        if name in sections and server not in sections[name]["servers"]:
            yield Fault(name, f"server {server} was added")
    if not stale:
        yield from _limits(running.info, connections)


def _frontend(running: Running, name: str, connections: int, stale: bool) -> Iterator[Fault]:
    row = running.rows.get((name, "FRONTEND"))
    if row is None:
        if not stale:
            yield Fault(name, "its frontend was shut down")
        return
    if row["status"] not in ("OPEN", "FULL"):
        yield Fault(name, f"its frontend is {row['status']}", f"enable frontend {name}")
    if not stale and row["slim"] != str(connections):
        command = f"set maxconn frontend {name} {connections}"
        yield Fault(name, f"its frontend takes {row['slim']} connections instead of {connections}", command)


def _server(name: str, server: str, row: Mapping[str, str]) -> Iterator[Fault]:
    """Values that were set by hand and would outlive a reload."""
    place, admin, check = f"{name}/{server}", int(row["srv_admin_state"]), int(row["srv_check_state"])
    for bit, state in ((MAINTENANCE, "MAINT"), (DRAIN, "DRAIN")):
        if admin & bit:
            yield Fault(name, f"server {server} is in {state}", f"set server {place} state ready")
    if row["srv_uweight"] != row["srv_iweight"]:
        words = f"server {server} has weight {row['srv_uweight']} instead of {row['srv_iweight']}"
        yield Fault(name, words, f"set server {place} weight {row['srv_iweight']}")
    if check & CHECKED and not check & CHECKING:
        yield Fault(name, f"server {server} is not checked", f"enable health {place}")


def _place(running: Running, name: str, server: str, wanted: Mapping[str, Any]) -> Iterator[Fault]:
    row = running.servers.get((name, server))
    if row is None:
        yield Fault(name, f"server {server} was removed")
        return
    found = f"{row['srv_addr']}:{row['srv_port']}"
    if found != wanted["address"]:
        address, _, port = wanted["address"].rpartition(":")
        command = f"set server {name}/{server} addr {address} port {port}"
        yield Fault(name, f"server {server} leads to {found} instead of {wanted['address']}", command)
    limit = running.rows.get((name, server), {}).get("slim") or "0"
    if limit != str(wanted["connections"]):
        command = f"set maxconn server {name}/{server} {wanted['connections']}"
        words = f"server {server} takes {limit} connections instead of {wanted['connections']}"
        yield Fault(name, words, command)


def _limits(info: Mapping[str, str], connections: int) -> Iterator[Fault]:
    if info.get("Maxconn") != str(connections):
        words = f"takes {info.get('Maxconn')} connections instead of {connections}"
        yield Fault("", words, f"set maxconn global {connections}")
    for name in RATES:
        if info.get(name, "0") != "0":
            kind = {"ConnRateLimit": "connections", "SessRateLimit": "sessions", "SslRateLimit": "ssl-sessions"}[name]
            yield Fault("", f"{name} is {info[name]} instead of 0", f"set rate-limit {kind} global 0")
