"""The agent that starts before its question is known, on the machine at hand by pyinfra's own local connector."""

import os

import pytest
from paramiko import SSHException
from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all

from roles.kit import transport
from roles.kit.transport import EarlyAgent, Step


@pytest.fixture
def here():
    state = State(Inventory((["@local"], {})), Config())
    connect_all(state)
    return state, state.inventory.get_host("@local")


def test_a_question_that_comes_late_is_answered(here):
    early = EarlyAgent(*here)
    assert early.ask({"do": "traits"})["cpus"] == os.cpu_count()


def test_an_agent_that_could_not_start_answers_nothing_so_that_it_is_asked_again_and_told(here, monkeypatch):
    monkeypatch.setattr(transport, "COMMAND", "cat >/dev/null; echo no python here >&2; exit 1")
    assert EarlyAgent(*here).ask({"do": "traits"}) == {}


def test_an_agent_that_died_at_once_answers_nothing(here, monkeypatch):
    monkeypatch.setattr(transport, "COMMAND", "exit 1")
    assert EarlyAgent(*here).ask({"do": "traits"}) == {}


def test_an_agent_that_is_never_asked_ends_without_a_word(here):
    _, host = here
    done, output = host.run_shell_command(transport.COMMAND, _stdin=[transport._agent(transport.ASKING)])
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
