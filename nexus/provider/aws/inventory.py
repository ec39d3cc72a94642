"""The inventory of an environment from the tags of its hosts, or as it was last known.

    from nexus.provider.aws.inventory import groups as _groups

    globals().update(_groups("production", "eu-central-1", {"edge": ["edge1"], "app": ["app1"], "ops": ["ops1"], ...}))

An inventory file ends with these lines. The names are the plan that deploys/provision.py carries out; a host that
exists gets its addresses. Without names, the groups are those of the tags.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nexus import console
from nexus.error import OperatorError
from nexus.provider.aws import access
from nexus.provider.aws.client import ENDED, Cloud
from nexus.provider.aws.desired import GROUP_ORDER, ORDER
from nexus.provider.aws.instance import GROUPS, HOST_KEY
from nexus.provider.aws.model import ENVIRONMENT, PART, tags_of
from nexus.workstation import write_whole

Groups = dict[str, list[tuple[str, dict[str, Any]]]]
LAST_KNOWN = "last_known.json"
PATIENCE_SECONDS = 5.0  # a run should not wait long for a cloud that it can do without
NOWHERE = "not-provisioned.invalid"  # address of a host that does not exist yet; the name tells why


@dataclass(frozen=True)
class Known:
    """What tags tell: all groups in order, and each host with its groups, addresses and public key."""

    groups: list[str]
    hosts: dict[str, dict[str, Any]]


def groups(
    environment: str,
    region: str,
    planned: Mapping[str, Sequence[str]] | None = None,
    user: str = "deploy",
    key: str = "",
    jump_group: str = "edge",
) -> Groups:
    """Return {group: its hosts with their data}, as an inventory file has them.

    `key` is the private key that opens the hosts; if empty, SSH agents are asked. OperatorError if neither the tags nor
    a former answer are there and no names are planned.
    """
    known = _known(Cloud(region, patience=PATIENCE_SECONDS), environment)
    if known is None and planned is None:
        raise OperatorError(
            f"AWS does not answer, and nothing is known of {environment}: run deploys/provision.py once"
        )
    found = known or Known([], {})
    names = {group: list(hosts) for group, hosts in planned.items()} if planned is not None else of_tags(found)
    reached = _reached(found, names, jump_group)
    access.write(environment, user, reached.values())
    data = {
        name: _data(environment, name, found, reached.get(name), user, key) for all_ in names.values() for name in all_
    }
    return {group: [(name, data[name]) for name in hosts] for group, hosts in names.items()}


def of_tags(known: Known) -> dict[str, list[str]]:
    """Return {group: names of its hosts} in the order of the inventory that the hosts were made from."""
    order = sorted(known.hosts, key=lambda name: known.hosts[name]["order"])
    return {group: [name for name in order if group in known.hosts[name]["groups"]] for group in known.groups}


def keep(cloud: Cloud, environment: str) -> Known:
    """Ask the tags, at most two questions, and keep the answer for when the cloud does not answer."""
    tag = [{"Name": f"tag:{ENVIRONMENT}", "Values": [environment]}]
    vpcs = cloud.read("ec2", "describe_vpcs", {"Filters": tag})["Vpcs"]
    order = tags_of(vpcs[0]).get(GROUP_ORDER, "").split() if vpcs else []
    hosts = {}
    for reservation in cloud.read("ec2", "describe_instances", {"Filters": tag})["Reservations"]:
        for each in reservation["Instances"]:
            tags = tags_of(each)
            if each["State"]["Name"] in ENDED or not tags.get(PART):
                continue
            hosts[tags[PART]] = {
                "groups": tags.get(GROUPS, "").split(),
                "order": int(tags.get(ORDER) or 0),
                "address": each.get("PrivateIpAddress") or "",
                "public": each.get("PublicIpAddress") or "",
                "host_key": tags.get(HOST_KEY, ""),
            }
    known = Known(order, hosts)
    text = json.dumps({"groups": known.groups, "hosts": known.hosts}, indent=1, sort_keys=True) + "\n"
    path = access.directory(environment) / LAST_KNOWN
    if not path.is_file() or path.read_text() != text:
        write_whole(path, text)
    return known


def _known(cloud: Cloud, environment: str) -> Known | None:
    """Return what the tags tell, or what they last told, and say which."""
    try:
        known = keep(cloud, environment)
        console.detail(f"{environment}: inventory from the tags of {len(known.hosts)} hosts in {cloud.region}")
        return known
    except (OperatorError, ClientError, BotoCoreError) as error:
        path = access.directory(environment) / LAST_KNOWN
        if not path.is_file():
            console.say(f"{environment}: the tags of its hosts are not known: {error}")
            return None
        console.say(f"{environment}: inventory as last known, since the cloud does not answer: {error}")
        return Known(**json.loads(path.read_text()))


def _reached(known: Known, names: Mapping[str, Sequence[str]], jump_group: str) -> dict[str, access.Reached]:
    jump = next((known.hosts[name]["public"] for name in names.get(jump_group, ()) if name in known.hosts), "")
    return {
        name: access.Reached(
            name, about["public"] or about["address"], about["host_key"], "" if about["public"] else jump
        )
        for name, about in known.hosts.items()
    }


def _data(
    environment: str, name: str, known: Known, reached: access.Reached | None, user: str, key: str
) -> dict[str, Any]:
    folder = access.directory(environment)
    data: dict[str, Any] = {
        "ssh_hostname": reached.address if reached else f"{name}.{NOWHERE}",
        "ssh_user": user,
        "ssh_known_hosts_file": str(folder / "known_hosts"),
        "ssh_strict_host_key_checking": "yes",
        "ssh_config_file": str(folder / "ssh_config"),
    }
    if reached:
        data["address"] = known.hosts[name]["address"]
    if key:
        data |= {"ssh_key": key, "ssh_allow_agent": False, "ssh_look_for_keys": False}
    return data
