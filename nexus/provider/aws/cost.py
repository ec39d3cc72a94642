"""What an environment costs in a month, from the dated list in prices.py."""

from collections import Counter
from collections.abc import Iterable

from nexus.provider.aws import prices
from nexus.provider.aws.model import Item


def lines(region: str, items: Iterable[Item]) -> list[str]:
    """Return the lines of the preview: each kind with number, price and sum, and the total of what has a price."""
    wanted = list(items)
    types = Counter(item.facts["type"] for item in wanted if item.ref.kind == "instance")
    hosts = [item for item in wanted if item.ref.kind == "instance"]
    disks = sum(int(item.facts["gibibytes"]) for item in wanted if item.ref.kind == "volume")
    roots = sum(int(item.facts["root_gibibytes"]) for item in hosts)
    hourly = prices.INSTANCE_HOUR.get(region, {})
    found: list[tuple[str, float | None]] = [
        (f"{number} x {name} x {prices.HOURS} h", _times(hourly.get(name), number * prices.HOURS))
        for name, number in sorted(types.items())
    ]
    month = prices.VOLUME_MONTH.get(region)
    found.append((f"{disks} GiB of volumes of stores", _times(month, disks)))
    found.append((f"{roots} GiB of the hosts' own disks", _times(month, roots)))
    for kind, price in (
        ("NAT gateway", _times(prices.NAT_HOUR.get(region), prices.HOURS)),
        ("address", prices.ADDRESS_HOUR * prices.HOURS),
        ("zone", prices.ZONE_MONTH),
    ):
        if number := sum(item.ref.kind == kind for item in wanted):
            found.append((f"{number} x {kind}", _times(price, number)))
    total = sum(price for _, price in found if price is not None)
    unknown = "" if all(price is not None for _, price in found) else ", without what has no price in prices.py"
    shown = [f"{what}: {'no price known' if price is None else f'{price:.2f} USD'}" for what, price in found]
    return [*shown, f"a month: {total:.2f} USD by prices of {prices.DATED}{unknown}; traffic and objects come on top"]


def _times(price: float | None, number: float) -> float | None:
    return None if price is None else price * number
