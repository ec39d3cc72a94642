"""The library with two toy roles: planned, probed, applied, found as planned, removed again."""

from __future__ import annotations

import re

from tests.library.toy_project import Toy


def test_a_run_applies_the_plan_and_the_next_changes_nothing(toy: Toy) -> None:
    done = toy.run("-y")
    assert done.status == 0, done.output
    assert done.changes > 0, done.output
    assert toy.hosts["two"].run("cat /etc/toy/words") == "good evening from two of lab\n"
    assert toy.hosts["one"].run("stat -c '%a %U' /etc/toy /etc/toy/key") == "750 root\n600 root\n"
    assert toy.hosts["one"].run("cat /var/lib/counter/value") == "3"
    assert "No such file" in toy.hosts["two"].run("cat /var/lib/counter/value")
    again = toy.run("-y")
    assert (again.status, again.changes) == (0, 0), again.output


def test_verbose_shows_commands_and_files_but_no_secret(toy: Toy) -> None:
    done = toy.run("-y", "-v")
    assert done.status == 0, done.output
    shown = re.sub(r"\x1b\[[0-9;]*m", "", done.output).splitlines()
    for line in ("greeting: files", "> /etc/toy/key", "counter: 1 item of count", "$ sync /var/lib/counter/value"):
        assert f"[one] {line}" in [text.strip() for text in shown], done.output
    assert toy.hosts["one"].run("cat /etc/toy/key").strip() not in done.output
    assert "$ " not in toy.run("-y", "--data", "counter_value=4", brief=True).output


def test_a_dry_run_reports_changes_and_makes_none(toy: Toy) -> None:
    done = toy.run("--dry", "--diff")
    assert done.status == 0, done.output
    assert "/etc/toy/words" in done.output
    assert "good evening from one of lab" in done.output
    assert "No such file" in toy.hosts["one"].run("ls /etc/toy")


def test_only_the_hand_edit_is_reverted(toy: Toy) -> None:
    assert toy.run("-y").status == 0
    toy.hosts["one"].run("echo rubbish > /etc/toy/words; echo 9 > /var/lib/counter/value")
    done = toy.run("-y")
    assert done.status == 0, done.output
    assert "one] greeting: change file /etc/toy/words" in done.output.replace("[", ""), done.output
    assert "value 9 -> 3" in done.output, done.output
    assert toy.hosts["one"].run("cat /var/lib/counter/value") == "3"


def test_a_setting_changes_only_its_own_items(toy: Toy) -> None:
    assert toy.run("-y").status == 0
    done = toy.run("-y", "--data", "greeting_words=good night")
    assert done.status == 0, done.output
    assert toy.hosts["two"].run("cat /etc/toy/words") == "good night from two of lab\n"


def test_a_host_that_left_a_role_loses_its_items(toy: Toy) -> None:
    toy.counting = 2
    assert toy.run("-y").status == 0
    assert toy.hosts["two"].run("cat /var/lib/counter/value") == "3"
    toy.counting = 1
    done = toy.run("-y")
    assert done.status == 0, done.output
    assert "role counter: no longer concerns this host" in done.output, done.output
    assert toy.hosts["two"].run("cat /var/lib/counter/value") == "3", "data stay"
    assert toy.run("-y").changes == 0


def test_a_failed_preflight_stops_the_run_before_any_change(toy: Toy) -> None:
    toy.hosts["two"].run("touch /etc/toy-forbidden")
    done = toy.run("-y")
    assert done.status == 1, done.output
    assert "somebody forbids toys here" in done.output
    assert "No such file" in toy.hosts["one"].run("ls /etc/toy")


def test_an_unknown_setting_is_refused_with_a_suggestion(toy: Toy) -> None:
    done = toy.run("-y", "--data", "greeting_wrds=x")
    assert done.status == 1, done.output
    assert 'did you mean "greeting_words"?' in done.output


def test_the_library_reads_the_roles_of_its_project(toy: Toy) -> None:
    done = toy.run("--data", "help=true")
    assert done.status == 0, done.output
    assert "the words of the greeting (default: 'good evening')" in done.output


SAY = """
from pyinfra import host, local
from nexus.run.arguments import Host, Number, arguments

given = arguments(times=Number("how often", 1), to=Host("where"))
print(f"{host.name}: {given.times} times to {given.to}, as data {host.data.get('times')}")
local.include("deploys/part.py")
"""
PART = """
from nexus.run.arguments import Flag, Number, arguments

given = arguments(times=Number("how often", 7), loud=Flag("loudly"))
print(f"part: {given.times} times, loud {given.loud}")
"""


def test_arguments_reach_the_deploys_that_declare_them(toy: Toy) -> None:
    (toy.root / "deploys/say.py").write_text(SAY)
    (toy.root / "deploys/part.py").write_text(PART)
    done = toy.run("deploys/say.py", "-y", "--data", "times=3", "--data", "to=two")
    assert done.status == 0, done.output
    assert "one: 3 times to two, as data None" in done.output
    assert "part: 3 times, loud False" in done.output
    done = toy.run("deploys/say.py", "-y", "--data", "loud=true")
    assert done.status == 1, done.output
    assert '"loud" is an argument of deploys/part.py, and this run starts no deploy that takes it' in done.output
