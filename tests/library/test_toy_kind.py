"""A kind of item that a role defines itself: two files in its folder; no other file knows it."""

from __future__ import annotations

from tests.library.toy_project import Toy

KIND = '''"""A lamp of this host."""

from dataclasses import dataclass

from nexus.plan.item import Item


@dataclass(frozen=True)
class Lamp(Item, removable=True):
    """A lamp that shines in a colour."""

    name: str
    colour: str

    def words(self, present):
        return present or "", self.colour
'''
HOST = '''"""Lamps, each a file."""

import os

PLACE = "/var/lib/lamp"


def probe(names):
    found = {}
    for name in names:
        if os.path.exists(f"{PLACE}-{name}"):
            with open(f"{PLACE}-{name}", errors="replace") as stream:
                found[name] = stream.read()
    return found


def step(request):
    for item in request["items"]:
        with open(f"{PLACE}-{item['name']}", "w") as stream:
            stream.write(item["colour"])


def remove(name):
    os.unlink(f"{PLACE}-{name}")
'''
PLAN = """from nexus.plan.desired import Desired, File
from roles.{role}.kind import Lamp


def plan(env, host):
    return Desired(files=(File("/etc/lamps", "a file"),), items=({lamps}))
"""
DESK = 'Lamp("desk", "green"),'


def plan(toy: Toy, lamps: str, role: str = "greeting") -> None:
    folder = toy.root / "roles" / role
    (folder / "host").mkdir(exist_ok=True)
    (folder / "host/kind.py").write_text(HOST)
    (folder / "kind.py").write_text(KIND)
    (folder / "plan.py").write_text(PLAN.format(lamps=lamps, role=role))


def test_an_item_of_a_new_kind_is_applied_compared_and_removed(toy: Toy) -> None:
    plan(toy, "")
    assert toy.run("-y").status == 0
    plan(toy, DESK)
    first = toy.run("-y")
    assert first.status == 0, first.output
    assert first.changes == len(toy.hosts), first.output
    assert "greeting: change lamp desk: is missing" in first.output, first.output
    assert toy.hosts["one"].run("cat /var/lib/lamp-desk") == "green"
    again = toy.run("-y")
    assert (again.status, again.changes) == (0, 0), again.output

    toy.hosts["one"].run("printf red >/var/lib/lamp-desk")
    drifted = toy.run("--dry")
    assert "greeting: would change lamp desk: red -> green" in drifted.output, drifted.output
    assert drifted.output.count("would change") == 1
    assert toy.run("-y").changes == 1
    assert toy.hosts["one"].run("cat /var/lib/lamp-desk") == "green"

    plan(toy, "")
    last = toy.run("-y")
    assert "lamp desk: no longer planned, removed" in last.output, last.output
    assert "No such file" in toy.hosts["one"].run("cat /var/lib/lamp-desk")
    assert toy.run("-y").changes == 0


def test_an_earlier_item_may_be_changed_but_not_removed(toy: Toy) -> None:
    toy.hosts["one"].run("printf red >/var/lib/lamp-desk")
    plan(toy, DESK)
    assert toy.run("-y").status == 0
    assert toy.hosts["one"].run("cat /var/lib/lamp-desk") == "green"
    plan(toy, "")
    assert toy.run("-y").status == 0
    assert toy.hosts["one"].run("cat /var/lib/lamp-desk") == "green"
    assert "No such file" in toy.hosts["two"].run("cat /var/lib/lamp-desk")


def test_items_of_a_role_that_left_a_host_are_removed(toy: Toy) -> None:
    plan(toy, DESK, "counter")
    toy.counting = 2
    assert toy.run("-y").status == 0
    toy.counting = 0
    done = toy.run("-y")
    assert done.status == 0, done.output
    assert "No such file" in toy.hosts["two"].run("cat /var/lib/lamp-desk")
