"""CAA records: who may issue for a name. An authority that they exclude refuses, and counts that as a failure."""

from collections.abc import Sequence

from dns import exception, resolver
from dns.name import Name, from_text

from roles.acme.host.renewer.failure import OrderError
from roles.acme.host.renewer.servers import resolver_of


def check(names: Sequence[str], identities: Sequence[str], resolvers: Sequence[str]) -> None:
    """OrderError for a name whose records name none of an authority's identities; silence of DNS is not judged."""
    asked = resolver_of(resolvers)
    for name in names if identities else ():
        where, allowed = records(asked, name)
        if allowed is not None and not set(allowed) & set(identities):
            known = ", ".join(filter(None, allowed)) or "nobody"
            raise OrderError(
                f"{name}: the CAA records of {where} allow {known}, not {identities[0]}: add the record "
                f'{where} CAA 0 issue "{identities[0]}", or set acme_directories'
            )


def records(asked: resolver.Resolver, name: str) -> tuple[str, list[str] | None]:
    """Where the records of a name are, and the authorities that they allow; None if any may issue."""
    tag = "issuewild" if name.startswith("*.") else "issue"
    place: Name = from_text(name.removeprefix("*."))
    while len(place) > 1:
        try:
            found = list(asked.resolve(place, "CAA"))
        except (resolver.NoAnswer, resolver.NXDOMAIN):
            place = place.parent()
            continue
        except exception.DNSException:
            return str(place), None
        values = {
            wanted: [one.value.decode() for one in found if one.tag.decode() == wanted] for wanted in (tag, "issue")
        }
        allowed = values[tag] or values["issue"]
        return place.to_text(omit_final_dot=True), [one.partition(";")[0].strip() for one in allowed] or None
    return name, None
