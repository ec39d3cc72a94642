"""DNS servers as settings name them: ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT."""

from collections.abc import Sequence

from dns import nameserver, resolver

PORT = 53
SECONDS = 10


def place(server: str) -> tuple[str, int]:
    """Address and port of a server."""
    address, colon, port = server.rpartition(":")
    if not colon or (":" in address and not address.endswith("]")):
        return server.strip("[]"), PORT
    return address.strip("[]"), int(port)


def resolver_of(servers: Sequence[str]) -> resolver.Resolver:
    """A resolver that asks these servers, or those of the host."""
    found = resolver.Resolver(configure=not servers)
    if servers:
        found.nameservers = [nameserver.Do53Nameserver(*place(server)) for server in servers]
    found.lifetime = SECONDS
    return found
