"""The agent that stays on its host, on the machine at hand by pyinfra's own local connector."""

import os
import signal
import time
from pathlib import Path

import gevent
import pytest
from paramiko import SSHException
from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all

from roles.kit import wire
from roles.kit.line import Line, line_of
from roles.kit.transport import Step, send

pytestmark = pytest.mark.usefixtures("own_run")
SECONDS = 60
SOURCE = """
import os, subprocess, sys, time
def probe(names, context):
    if "place" in context:
        open(context["place"] + "/began", "w").close()
        while not os.path.exists(context["place"] + "/go"):
            time.sleep(0.01)
    read = subprocess.run(["cat"], capture_output=True, text=True).stdout
    return {"me": os.getpid(), "parent": os.getppid(), "input": read, "seen": globals().setdefault("SEEN", [])}
def ends(names, context):
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def here():
    state = State(Inventory((["@local"], {})), Config())
    connect_all(state)
    return state, state.inventory.get_host("@local")


def request(source=SOURCE, **context):
    return {"do": "aside", "source": source, "libraries": [], "names": ["x"], "context": context}


def under_way(here, place):
    """A question that an agent has begun to answer, and ends once there is a file "go"."""
    asked = gevent.spawn(send, *here, request(place=str(place)))
    until((place / "began").exists)
    return asked


def until(what):
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline
        gevent.sleep(0.02)


def test_one_agent_answers_one_question_after_another_each_in_a_process_of_its_own(here):
    Line(*here)
    first, second = (send(*here, request())[0]["items"] for _ in range(2))
    assert first["parent"] == second["parent"]
    assert first["me"] != second["me"]
    assert first["input"] == second["input"] == ""  # what comes next is not for the programs of a request


def test_an_answer_longer_than_any_buffer_arrives(here):
    Line(*here)
    answer, _ = send(*here, request("def probe(names, context): return {'text': 'x' * 3_000_000}"))
    assert len(answer["items"]["text"]) == 3_000_000


def test_a_question_beside_another_has_an_agent_of_its_own(here, tmp_path):
    line = Line(*here)
    slow = under_way(here, tmp_path)
    assert line.carry(request()) is None
    quick, _ = send(*here, request())
    assert not slow.ready()
    (tmp_path / "go").touch()
    assert slow.get(timeout=SECONDS)[0]["items"]["parent"] != quick["items"]["parent"]


def test_what_cannot_be_carried_out_says_so_and_the_agent_stays(here, caplog):
    state, host = here
    line = Line(state, host)
    with caplog.at_level("INFO"):
        assert Step("x: y", {"do": "unheard"}).execute(state, host, dict(line.arguments)) is False
    assert "x: y:" in caplog.text
    assert send(*here, request())[0]["items"]["me"]


def test_a_process_that_is_ended_fails_its_request_alone(here):
    Line(*here)
    answer, why = send(*here, request(SOURCE.replace("probe", "_").replace("ends", "probe")))
    assert (answer, why) == ({}, "the agent ended without a word")
    assert send(*here, request())[0]["items"]["me"]


def test_what_an_agent_writes_is_shown_as_it_comes(here):
    line, shown = Line(*here), []
    source = "import sys\ndef probe(names, context):\n print('one'); print('two', file=sys.stderr); return {}"
    assert line.carry(request(source), lambda text, wrong: shown.append((text, wrong))).done
    assert ("one", False) in shown
    assert ("two", True) in shown


def test_an_agent_that_is_lost_under_way_is_told_and_not_asked_again(here, tmp_path):
    line = Line(*here)
    parent = send(*here, request())[0]["items"]["parent"]
    lost = under_way(here, tmp_path)
    os.kill(parent, signal.SIGKILL)
    (tmp_path / "go").touch()  # who worked for it ends, too
    answer, why = lost.get(timeout=SECONDS)
    assert answer == {}
    assert why.startswith("EOFError")
    assert line.carry(request()) is None
    assert send(*here, request())[0]["items"]["me"]  # by one of its own


def test_a_run_that_ends_while_an_agent_works_says_nothing_of_it(here, tmp_path, capfd):
    line = Line(*here)
    working = under_way(here, tmp_path)
    line.close()
    (tmp_path / "go").touch()
    assert working.get(timeout=SECONDS)[0]["items"]["me"]
    assert line.carry(request()) is None
    assert "Traceback" not in capfd.readouterr().err


def test_an_agent_that_could_not_start_takes_nothing(here, monkeypatch):
    monkeypatch.setattr(wire, "PYTHON", "echo no python here >&2; exit 1")
    assert Line(*here).carry(request()) is None


def test_an_agent_of_another_user_is_not_taken(here):
    line = Line(*here)
    host = here[1]
    assert line_of(host, line.arguments) is line
    assert line_of(host, {**line.arguments, "_sudo": not line.arguments.get("_sudo")}) is None


def test_an_agent_ends_with_its_run(here):
    line = Line(*here)
    parent = send(*here, request())[0]["items"]["parent"]
    line.close()
    # none of what has ended, even where nobody asked for its status
    until(lambda: not any(Path(f"/proc/{parent}").glob("fd/0")))


def test_an_agent_alone_that_is_never_asked_ends_without_a_word(here):
    _, host = here
    done, output = host.run_shell_command(wire.COMMAND, _stdin=[wire.agent(wire.ASKING)])
    assert (done, list(output)) == (True, [])


@pytest.mark.parametrize("end", [SSHException("SSH session not active"), EOFError(), ConnectionResetError()])
def test_a_step_on_a_connection_that_is_no_more_says_so(here, monkeypatch, caplog, end):
    state, host = here

    def cut_off(*_, **__):
        raise end

    monkeypatch.setattr(host, "run_shell_command", cut_off)
    with caplog.at_level("INFO"):
        assert Step("rabbitmq: rabbitmq-server", {"do": "step"}).execute(state, host, {}) is False
    assert "rabbitmq: rabbitmq-server: the connection was lost before it ended" in caplog.text
