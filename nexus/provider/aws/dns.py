"""The zone of the platform's domain in Route 53, and its records."""

from collections.abc import Iterator, Mapping
from typing import Any

from nexus.provider.aws.kind import VPC, Kind
from nexus.provider.aws.model import Call, Found, Item, Ref, Text, Wait, World, tag_list

TTL_SECONDS = 60
ZONE, CHANGE = Ref("zone", ""), Ref("change", "")
MARK = "nexus-cos:{}:"  # begins the caller reference of a zone of ours, which AWS keeps from the creating call on


def zone_item(environment: str, domain: str, addresses: list[Ref], tags: Mapping[str, str]) -> Item:
    """Return the zone: the domain and all names below it lead to these addresses."""
    records = dict.fromkeys((f"{domain}.", f"*.{domain}."), addresses) if addresses else {}
    reference = Text((MARK.format(environment), VPC))
    return Item(ZONE, {"domain": domain, "records": records, "reference": reference}, tags)


def found_records(sets: list[Mapping[str, Any]]) -> tuple[dict[str, list[str]], list[str]]:
    """Return {name: addresses} of A records in a zone, and the other records as "NAME TYPE" without those of AWS."""
    ours, others = {}, []
    for each in sets:
        name = each["Name"].replace("\\052", "*")
        if each["Type"] == "A" and each.get("TTL") == TTL_SECONDS:
            ours[name] = [one["Value"] for one in each["ResourceRecords"]]
        elif each["Type"] not in ("NS", "SOA"):
            others.append(f"{name} {each['Type']}")
    return ours, others


def _create(item: Item, world: World) -> Iterator[Call]:
    parameters = {
        "Name": item.facts["domain"],
        "CallerReference": item.facts["reference"],
        "HostedZoneConfig": {"Comment": "Nexus COS"},
    }
    words = f"Create {ZONE} {item.facts['domain']}"
    yield Call("route53", "create_hosted_zone", parameters, words, ZONE, ("HostedZone", "Id"))
    yield from _tags(item)
    yield from _records(item, {}, {})


def _tags(item: Item) -> Iterator[Call]:
    parameters = {"ResourceType": "hostedzone", "ResourceId": ZONE, "AddTags": tag_list(item.tags)}
    yield Call("route53", "change_tags_for_resource", parameters, f"Tag {ZONE} {item.facts['domain']}")


def _change(item: Item, found: Found, world: World) -> Iterator[Call]:
    if not found.facts["records"]:  # its creation was interrupted
        yield from _tags(item)
    yield from _records(item, found.facts["records"], world.known)


def _records(item: Item, found: Mapping[str, list[str]], known: Mapping[Ref, str]) -> Iterator[Call]:
    planned = item.facts["records"]
    wrong = [
        name
        for name, addresses in planned.items()
        if sorted(found.get(name, ())) != sorted(known.get(each, "") for each in addresses)
    ]
    gone = [name for name in found if name not in planned and name.lstrip("*.") == f"{item.facts['domain']}."]
    changes = [_one("UPSERT", name, planned[name]) for name in wrong]
    changes += [_one("DELETE", name, found[name]) for name in gone]
    if changes:
        yield _batch(ZONE, changes, f"Set the addresses of {', '.join([*wrong, *gone])}")


def _one(action: str, name: str, addresses: list[Any]) -> dict[str, Any]:
    values = [{"Value": each} for each in addresses]
    return {
        "Action": action,
        "ResourceRecordSet": {"Name": name, "Type": "A", "TTL": TTL_SECONDS, "ResourceRecords": values},
    }


def _batch(zone: str | Ref, changes: list[dict[str, Any]], words: str) -> Call:
    wait = Wait("get_change", {"Id": CHANGE}, ("ChangeInfo", "Status"), "INSYNC")
    parameters = {"HostedZoneId": zone, "ChangeBatch": {"Changes": changes}}
    more = ((CHANGE, ("ChangeInfo", "Id")),)
    return Call("route53", "change_resource_record_sets", parameters, words, more=more, wait=wait)


def _remove(found: Found) -> Iterator[Call]:
    if found.facts["records"]:
        changes = [_one("DELETE", name, values) for name, values in found.facts["records"].items()]
        yield _batch(found.id, changes, f"Delete the addresses in {ZONE} {found.facts['domain']}")
    words = f"Delete {ZONE} {found.facts['domain']}"
    yield Call("route53", "delete_hosted_zone", {"Id": found.id}, words, gone_is_done=True)


ZONE_KIND = Kind("zone", _create, _change, _remove, tagged=False)
