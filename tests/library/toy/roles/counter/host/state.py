"""The counter of this host: a file that the plan treats as a state, not as a file item."""

from nexus.agent.lib import run

PLACE = "/var/lib/counter/value"


def probe(names, context):
    try:
        with open(PLACE, errors="replace") as stream:
            return {"counter": {"value": int(stream.read())}}
    except OSError:
        return {}


def apply(change):
    with open(PLACE, "w") as stream:
        stream.write(str(change.items["counter"]["value"]))
    run(["sync", PLACE])
    print(f"counted to {change.items['counter']['value']}")
