"""The agent that stays on its host, run on this machine with pyinfra's local connector."""

import json
import os
import signal
import time
from pathlib import Path

import gevent
import pytest
from paramiko import SSHException
from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all

from nexus.agent import ASKING
from nexus.error import OperatorError
from nexus.transport import protocol
from nexus.transport.agent_session import AgentSession, session_of
from nexus.transport.host_client import HostClient

pytestmark = pytest.mark.usefixtures("own_run")
SECONDS = 60
SOURCE = """
import os, subprocess, sys, time
def work(context):
    if "place" in context:
        open(context["place"] + "/began", "w").close()
        while not os.path.exists(context["place"] + "/go"):
            time.sleep(0.01)
    read = subprocess.run(["cat"], capture_output=True, text=True).stdout
    return {"me": os.getpid(), "parent": os.getppid(), "input": read, "seen": globals().setdefault("SEEN", [])}
def ends(context):
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def here():
    state = State(Inventory((["@local"], {})), Config())
    connect_all(state)
    return state, state.inventory.get_host("@local")


def request(source=SOURCE, function="work", **context):
    about = {"do": "action", "name": "test", "function": function, "alone": False}
    return {**about, "source": source, "libraries": [], "context": context}


def send(here, sent):
    """The answer to a request, from any free agent."""
    reply = HostClient(here[1].name, here[0]).send(sent)
    return json.loads(reply.said[-1]) if reply.done else reply


def under_way(here, place):
    """A question that an agent is answering, and that ends once a file "go" exists."""
    asked = gevent.spawn(send, here, request(place=str(place)))
    until((place / "began").exists)
    return asked


def until(what):
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline
        gevent.sleep(0.02)


def test_an_agent_runs_each_request_in_its_own_process(here):
    AgentSession(*here)
    first, second = (send(here, request()) for _ in range(2))
    assert first["parent"] == second["parent"]
    assert first["me"] != second["me"]
    assert first["input"] == second["input"] == ""  # programs of a request must not read the next request


def test_an_answer_longer_than_any_buffer_arrives(here):
    AgentSession(*here)
    answer = send(here, request("def work(context): return {'text': 'x' * 3_000_000}"))
    assert len(answer["text"]) == 3_000_000


def test_a_parallel_question_gets_its_own_agent(here, tmp_path):
    session = AgentSession(*here)
    slow = under_way(here, tmp_path)
    assert session.carry(request()) is None
    quick = send(here, request())
    assert not slow.ready()
    (tmp_path / "go").touch()
    assert slow.get(timeout=SECONDS)["parent"] != quick["parent"]


def test_a_failed_request_is_reported_and_the_agent_stays(here, caplog):
    state, host = here
    session = AgentSession(state, host)
    with caplog.at_level("INFO"):
        assert HostClient(host.name, state, dict(session.arguments)).carry_out("x: y", {"do": "unheard"}) is False
    assert "x: y:" in caplog.text
    assert send(here, request())["me"]


def test_a_killed_process_fails_only_its_own_request(here):
    AgentSession(*here)
    assert send(here, request(function="ends")).errors == ["the agent ended without any output"]
    assert send(here, request())["me"]


def test_output_of_an_agent_is_shown_at_once(here):
    session = AgentSession(*here)
    shown: list[str] = []
    source = "import sys\ndef work(context):\n print('one'); print('two', file=sys.stderr); return {}"
    reply = session.carry(request(source), shown.append)
    assert reply is not None
    assert reply.done
    assert "one" in shown
    assert reply.errors == ["two"]


def test_an_agent_lost_during_a_request_is_not_asked_again(here, tmp_path):
    session = AgentSession(*here)
    parent = send(here, request())["parent"]
    lost = under_way(here, tmp_path)
    os.kill(parent, signal.SIGKILL)
    (tmp_path / "go").touch()  # its worker process ends, too
    assert isinstance(lost.get(timeout=SECONDS).lost, EOFError)
    assert session.carry(request()) is None
    assert send(here, request())["me"]  # another agent answers


def test_a_run_ends_without_a_traceback_of_a_busy_agent(here, tmp_path, capfd):
    session = AgentSession(*here)
    working = under_way(here, tmp_path)
    session.close()
    (tmp_path / "go").touch()
    assert working.get(timeout=SECONDS)["me"]
    assert session.carry(request()) is None
    assert "Traceback" not in capfd.readouterr().err


def test_an_agent_that_could_not_start_takes_nothing(here, monkeypatch):
    monkeypatch.setattr(protocol, "PYTHON", "echo no python here >&2; exit 1")
    assert AgentSession(*here).carry(request()) is None


def test_an_agent_of_another_user_is_not_taken(here):
    session = AgentSession(*here)
    host = here[1]
    assert session_of(host, session.arguments) is session
    assert session_of(host, {**session.arguments, "_sudo": not session.arguments.get("_sudo")}) is None


def test_a_rebooted_host_gets_a_new_agent(here):
    AgentSession(*here)
    before = send(here, request())["parent"]
    assert HostClient(here[1].name, here[0]).reconnect()
    after = send(here, request())
    assert before != after["parent"] != os.getpid()


def test_an_agent_ends_with_its_run(here):
    session = AgentSession(*here)
    parent = send(here, request())["parent"]
    session.close()
    # no ended process remains, even if its status was not collected
    until(lambda: not any(Path(f"/proc/{parent}").glob("fd/0")))


def test_an_agent_without_requests_ends_silently(here):
    _, host = here
    done, output = host.run_shell_command(protocol.COMMAND, _stdin=[protocol.agent(ASKING)])
    assert (done, list(output)) == (True, [])


@pytest.mark.parametrize("end", [SSHException("SSH session not active"), EOFError(), ConnectionResetError()])
def test_a_step_on_a_lost_connection_fails_with_a_message(here, monkeypatch, caplog, end):
    state, host = here

    def cut_off(*_, **__):
        raise end

    monkeypatch.setattr(host, "run_shell_command", cut_off)
    with caplog.at_level("INFO"):
        assert HostClient(host.name, state).carry_out("rabbitmq: rabbitmq-server", {"do": "step"}) is False
    assert "rabbitmq: rabbitmq-server: the connection was lost before this step ended" in caplog.text


def test_a_question_is_repeated_when_its_agent_is_lost(here, tmp_path):
    AgentSession(*here)
    parent = send(here, request())["parent"]
    question = {"do": "ask", "source": QUESTION, "libraries": [], "names": ["x"], "context": {"place": str(tmp_path)}}
    asked = gevent.spawn(HostClient(here[1].name, here[0]).ask, question)
    until((tmp_path / "began").exists)
    os.kill(parent, signal.SIGKILL)
    (tmp_path / "go").touch()
    answer = asked.get(timeout=SECONDS)["items"]
    assert answer["times"] == 2
    assert answer["parent"] != parent


QUESTION = """
import os, time
def probe(names, context):
    with open(context["place"] + "/began", "a") as stream:
        stream.write("once ")
    while not os.path.exists(context["place"] + "/go"):
        time.sleep(0.01)
    with open(context["place"] + "/began", errors="replace") as stream:
        return {"times": len(stream.read().split()), "parent": os.getppid()}
"""


def test_an_action_without_a_timely_answer_is_abandoned(here, tmp_path):
    (tmp_path / "slow.py").write_text(SOURCE)
    client = HostClient(here[1].name, here[0])
    with pytest.raises(OperatorError, match="did not answer within 1 s"):
        client.act_aside(tmp_path / "slow.py", "work", {"place": str(tmp_path)}, seconds=1)
    (tmp_path / "go").touch()


def test_a_failed_action_is_reported_in_its_own_words(here, tmp_path):
    (tmp_path / "bad.py").write_text("def work(context):\n    raise OSError(28, 'No space left', '/x')\n")
    with pytest.raises(OperatorError, match=r"(?s)@local: .*/x"):
        HostClient(here[1].name, here[0]).act_aside(tmp_path / "bad.py", "work", {})


def test_a_host_outside_the_inventory_cannot_be_reached(here):
    with pytest.raises(OperatorError, match="app9 cannot be reached"):
        HostClient("app9", here[0]).ask({"do": "traits"})
