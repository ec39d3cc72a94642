"""What a run prints by default, with -v, and to its log file."""

from __future__ import annotations

import re
from pathlib import Path

from tests.library.toy_project import Toy

CHANGE = "greeting: change file /etc/toy/words"


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def log(toy: Toy, output: str) -> str:
    """The text of the file that the last line of a run names."""
    words = output.splitlines()[-1].split(" ", 1)
    assert words[0] == "log:", output
    return (toy.root / words[1]).read_text()


def test_a_line_per_step_and_the_rest_in_the_log(toy: Toy) -> None:
    output = plain(toy.run("-y", brief=True).output)
    assert CHANGE not in output
    found = re.search(r"^ +Converge greeting +2 hosts +(\d+) changes +\d+\.\d s$", output, re.MULTILINE)
    assert found, output
    held = log(toy, output)
    assert held.count("greeting: change ") == int(found[1])
    for words in (CHANGE, "> /etc/toy/key", "$ sync /var/lib/counter/value", "lab: 2 hosts, "):
        assert words in held, held
    assert toy.hosts["one"].run("cat /etc/toy/key").strip() not in held
    assert "\x1b" not in held


def test_a_run_without_changes_prints_little(toy: Toy) -> None:
    assert toy.run("-y").status == 0
    lines = plain(toy.run("-y", brief=True).output).splitlines()
    assert len(lines) <= 4, lines
    assert lines[-2].startswith("lab: 2 hosts, 0 changes"), lines


def test_verbose_prints_every_change(toy: Toy) -> None:
    assert CHANGE in plain(toy.run("-y").output)


def test_a_dry_run_prints_every_change(toy: Toy) -> None:
    output = plain(toy.run("--dry", brief=True).output)
    assert "greeting: would change file /etc/toy/words" in output


def test_a_failed_step_is_printed_in_full_and_last(toy: Toy) -> None:
    toy.hosts["one"].run("mkdir -p /var/lib/counter/value/full")
    done = toy.run("-y", brief=True)
    assert done.status == 1, done.output
    lines = plain(done.output).splitlines()
    place = next(number for number, line in enumerate(lines) if "Is a directory" in line)
    assert len(lines) - place < 10, done.output
    assert lines[-2].startswith("lab: 2 hosts, "), done.output
    held = log(toy, plain(done.output))
    for words in ("Is a directory", "Stopped: one failed (see the error above). Fix it and rerun."):
        assert words in done.output
        assert words in held


def test_old_logs_are_deleted(toy: Toy) -> None:
    directory = Path(toy.root / "reports/runs")
    directory.mkdir(parents=True)
    for number in range(40):
        (directory / f"lab-20200101T0000{number:02}Z-1.log").touch()
    assert toy.run("-y").status == 0
    assert len(list(directory.glob("lab-*.log"))) == 30


def test_an_unwritable_log_directory_does_not_stop_a_run(toy: Toy) -> None:
    (toy.root / "reports").write_text("a file is in the way")
    done = toy.run("-y", brief=True)
    assert done.status == 0, done.output
    assert "log: " not in done.output


def test_a_run_without_y_asks_once(toy: Toy) -> None:
    done = toy.asked("")
    said = plain(done.output)
    assert done.status == 0, said
    assert re.search(r"\d changes to make on lab\. Press enter to execute", said), said
    assert "may not include" not in said
    assert toy.hosts["two"].run("cat /etc/toy/words") == "good evening from two of lab\n"


def test_any_other_answer_changes_nothing(toy: Toy) -> None:
    done = toy.asked("no")
    assert done.status == 0, done.output
    assert "Nothing was changed on any host." in done.output
    assert "No such file" in toy.hosts["one"].run("ls /etc/toy")


def test_nothing_to_change_needs_no_answer(toy: Toy) -> None:
    assert toy.run("-y").status == 0
    done = toy.asked("")
    assert done.status == 0, done.output
    assert "Press enter" not in done.output
    assert "lab: 2 hosts, 0 changes" in plain(done.output)
