"""Runs on a host: the sockets that other hosts may reach as far as the daemons are concerned. Changes nothing."""

from typing import Any

from nexus.agent.lib import run

LOOPBACK = ("127.", "[::1]", "[::ffff:127.")


def listening(context: dict[str, Any]) -> dict[str, Any]:
    """[protocol, port, process] of each; `process` is empty for the kernel's own."""
    found = set()
    for line in run(["ss", "--no-header", "--tcp", "--udp", "--listening", "--numeric", "--processes"]).splitlines():
        protocol, _, _, _, local, _, *process = line.split(None, 6)
        address, _, port = local.rpartition(":")
        if not address.startswith(LOOPBACK):
            found.add((protocol, int(port), process[0].split('"')[1] if process else ""))
    return {"sockets": sorted(found)}


PARTS = {"listening": listening}
