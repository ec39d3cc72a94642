"""Requests from a host to a port that wants certificates, with the host's own certificate or without any."""

from __future__ import annotations

from typing import Any

from roles.certificate.plan import CA, KEY, LEAF

REFUSED = "refused"
# curl's exit statuses: no TLS connection, and one that was ended while the client sent or waited for the answer
HANDSHAKE_FAILED = (35, 55, 56)


def get(host: Any, address: str, port: int, path: str, certificate: bool = True) -> str:
    """The status of the answer, or REFUSED if the connection ended because of the certificate."""
    client = f"--cert {LEAF} --key {KEY}" if certificate else ""
    command = f"curl -s -o /dev/null -w %%{{http_code}} -m 10 --cacert {CA} {client} %s"
    done = host.run(command, f"https://{address}:{port}{path}")
    if done.rc in HANDSHAKE_FAILED:
        return REFUSED
    return str(done.stdout) if not done.rc else f"curl ended with {done.rc}"
