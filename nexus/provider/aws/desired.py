"""Everything that an environment wants of AWS, as a pure function of its inventory, settings and flows."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nexus.environment.environment import Environment, Host
from nexus.provider.aws import bucket as buckets
from nexus.provider.aws import dns, instance, profile, route, security_group, volume
from nexus.provider.aws.kind import VPC
from nexus.provider.aws.model import ENVIRONMENT, PART, Item, Ref, Text
from nexus.provider.aws.network import APPLICATION, DATA, GATEWAY, PUBLIC, TIERS, subnet, subnet_ranges
from nexus.provider.aws.route import EVERYWHERE
from nexus.provider.aws.user_data import user_data
from nexus.run.flow import WORLD, Entry, matrix
from nexus.run.role import Roles

ORDER = "nexus-cos:order"  # place of a host in the inventory
GROUP_ORDER = "nexus-cos:group-order"  # of the VPC: all groups of the inventory in their order, empty ones too
STORE = "nexus-cos:store"  # of a volume: the role whose data it has


@dataclass(frozen=True)
class Wish:
    """What the desired world is made from. `groups`: the inventory's groups in order. `generations`: of each host.
    `fresh`: hosts whose instance is to be made, and `host_key(name, generation)` their keys."""

    env: Environment
    roles: Roles
    groups: Sequence[str]
    generations: Mapping[str, int]
    fresh: frozenset[str]
    host_key: Callable[[str, int], tuple[str, str]]

    @property
    def flows(self) -> list[Entry]:
        """Return the matrix of flows."""
        return matrix(self.env, self.roles)


def desired(wish: Wish) -> list[Item]:
    """Return all resources of an environment."""
    env, flows = wish.env, wish.flows
    public = public_hosts(env, flows)
    classes = security_group.classes(env, flows)
    items = [
        *_network(wish, [host for host in env.hosts if host.name in public]),
        *_groups(env, flows, classes),
        *(item for host in env.hosts for item in _disks(wish, host)),
        *_bucket(env),
        *(item for host in env.hosts for item in _host(wish, host, host.name in public, classes)),
    ]
    if env.setting.aws_dns:
        edges = [route.ip(host.name) for host in env.hosts if host.name in public]
        items.append(dns.zone_item(env.name, env.setting.domain, edges, tags(env, dns.ZONE)))
    return items


def tags(env: Environment, ref: Ref, **more: str) -> dict[str, str]:
    """Return the tags of a resource: whose it is, which one it is, and a name for people."""
    name = " ".join(filter(None, (env.name, ref.name or ref.kind)))
    return {ENVIRONMENT: env.name, PART: ref.name or ref.kind, "Name": name, **more}


def token(env: Environment, ref: Ref, generation: int = 1) -> Text:
    """Return what makes AWS carry out a repeated request once; it ends with the environment, as its VPC does."""
    mark = hashlib.sha256(f"{env.name} {ref} {generation}".encode()).hexdigest()[:32]
    return Text((f"{mark}-", VPC))


def zone_of(env: Environment, host: Host) -> str:
    """Return the letter of a host's zone: its setting, or one by the number at the end of its name."""
    if host.setting.aws_zone:
        return str(host.setting.aws_zone)
    number = re.search(r"(\d+)(?=\D*$)", host.name.partition(".")[0])
    return str(env.setting.aws_zones[(int(number[1]) - 1 if number else 0) % len(env.setting.aws_zones)])


def public_hosts(env: Environment, flows: Sequence[Entry]) -> frozenset[str]:
    """Return the hosts with an address that stays: those that clients anywhere connect to."""
    return frozenset(name for entry in flows if entry.flow.source == WORLD for name in entry.targets)


def stores(wish: Wish, host: Host) -> dict[str, str]:
    """Return {role: directory} of the data on a host."""
    return {name: str(wish.roles[name].data) for name in wish.roles.of(host) if wish.roles[name].data}


def _network(wish: Wish, public: Sequence[Host]) -> Iterator[Item]:
    env = wish.env
    setting, zones = env.setting, env.setting.aws_zones
    vpc_tags = tags(env, VPC, **{GROUP_ORDER: " ".join(wish.groups)})
    yield Item(VPC, {"range": setting.aws_network}, vpc_tags)
    yield Item(GATEWAY, {}, tags(env, GATEWAY))
    for ref, range_ in subnet_ranges(setting.aws_network, zones).items():
        zone = f"{setting.aws_region}{ref.name[-1]}"
        yield Item(ref, {"range": range_, "zone": zone}, tags(env, ref))
    gateways = zones[: setting.aws_nat_gateways]
    for name in [*(host.name for host in public), *(f"nat-{zone}" for zone in gateways)]:
        yield Item(route.address(name), {}, tags(env, route.address(name)))
    for zone in gateways:
        ref, address = route.nat(zone), route.address(f"nat-{zone}")
        facts = {"subnet": subnet(PUBLIC, zone), "address": address, "token": _nat_token(env, ref, address)}
        yield Item(ref, facts, tags(env, ref))
    yield from _tables(env, gateways)


def _nat_token(env: Environment, ref: Ref, address: Ref) -> Text:
    return Text((hashlib.sha256(f"{env.name} {ref}".encode()).hexdigest()[:32] + "-", address))


def _tables(env: Environment, gateways: Sequence[str]) -> Iterator[Item]:
    zones = env.setting.aws_zones
    ref = Ref("route table", PUBLIC)
    inside = [subnet(tier, zone) for tier in TIERS for zone in zones if tier == PUBLIC or not gateways]
    yield Item(ref, {"routes": {EVERYWHERE: GATEWAY}, "subnets": inside}, tags(env, ref))
    for zone in gateways:
        ref = Ref("route table", f"private-{zone}")
        mine = [zone] if len(gateways) == len(zones) else zones
        inside = [subnet(tier, each) for tier in (APPLICATION, DATA) for each in mine]
        yield Item(ref, {"routes": {EVERYWHERE: route.nat(zone)}, "subnets": inside}, tags(env, ref))


def _groups(env: Environment, flows: Sequence[Entry], classes: Mapping[str, tuple[str, ...]]) -> Iterator[Item]:
    for name, hosts in classes.items():
        ref = security_group.group(name)
        facts = {"name": f"nexus-cos-{env.name}-{name}", "hosts": hosts}
        yield Item(ref, facts, tags(env, ref))
    yield from security_group.rules(env, flows, classes).values()


def _disks(wish: Wish, host: Host) -> Iterator[Item]:
    env, setting = wish.env, host.setting
    for store in stores(wish, host):
        ref = volume.volume(host.name, store)
        facts = {
            "gibibytes": int(setting.aws_volume_gibibytes_of.get(store, setting.aws_volume_gibibytes)),
            "zone": f"{env.setting.aws_region}{zone_of(env, host)}",
            "token": token(env, ref),
        }
        yield Item(ref, facts, tags(env, ref, **{STORE: store}))


def _bucket(env: Environment) -> Iterator[Item]:
    if not (name := env.setting.aws_bucket):
        return
    ref = buckets.bucket(name)
    facts = {"settings": buckets.settings(name, env.setting.aws_bucket_days), "region": env.setting.aws_region}
    yield Item(ref, facts, tags(env, ref))
    document = profile.document(name, env.setting.aws_bucket_prefixes)
    facts = {"name": profile.name_of(env.name), profile.DOCUMENT: document}
    yield Item(profile.PROFILE, facts, tags(env, profile.PROFILE))


def _host(wish: Wish, host: Host, public: bool, classes: Mapping[str, tuple[str, ...]]) -> Iterator[Item]:
    env, setting, own = wish.env, host.setting, stores(wish, host)
    ref, zone, generation = instance.instance(host.name), zone_of(env, host), wish.generations[host.name]
    tier = PUBLIC if public or not env.setting.aws_nat_gateways else DATA if own else APPLICATION
    volumes = {path: volume.volume(host.name, store) for store, path in own.items()}
    more = {
        instance.GENERATION: str(generation),
        instance.GROUPS: " ".join(group for group in wish.groups if group in host.groups),
        ORDER: str([each.name for each in env.hosts].index(host.name)),
    }
    start = Text(())
    if host.name in wish.fresh:
        keys = wish.host_key(host.name, generation)
        more[instance.HOST_KEY] = " ".join(keys[1].split()[:2])
        start = user_data(
            host.name, str(setting.get("base_user", "deploy")), list(setting.aws_authorized_keys), keys, volumes
        )
    facts = {
        "image": setting.aws_image,
        "type": setting.aws_instance_type,
        "subnet": subnet(tier, zone),
        "public": tier == PUBLIC,
        "group": security_group.group(next(name for name, hosts in classes.items() if host.name in hosts)),
        "private_ip": "",
        "root_gibibytes": int(setting.aws_root_gibibytes),
        "profile": profile.name_of(env.name) if env.setting.aws_bucket and (own or "ops" in host.groups) else "",
        "token": token(env, ref, generation),
        "generation": generation,
        "user_data": start,
    }
    yield Item(ref, facts, tags(env, ref, **more))
    for letter, disk in zip(volume.DEVICES, volumes.values(), strict=False):
        facts = {"volume": disk, "instance": ref, "device": f"/dev/sd{letter}"}
        yield Item(Ref("attachment", disk.name), facts)
    if public:
        yield Item(Ref("association", host.name), {"address": route.address(host.name), "instance": ref})
