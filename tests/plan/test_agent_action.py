"""Actions of the agent, and steps and questions that wait for each other."""

import json
import os
import subprocess
import time

import pytest

from nexus.transport import protocol
from nexus.transport.protocol import lines
from tests.plan.agent_request import ME, action, agent, agent_text, question

pytestmark = pytest.mark.usefixtures("own_run")

SLOW = """
import os, time
def probe(names, context):
    return {}
def apply(change):
    context = change.context
    open(context["place"] + "/began", "w").close()
    while not os.path.exists(context["place"] + "/go"):
        time.sleep(0.01)
    open(context["place"] + "/done", "w").close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root waits for turns")
def test_a_question_waits_for_the_step_of_a_killed_run(tmp_path):
    left = step_under_way(tmp_path)
    asked = start(question(paths=[str(tmp_path / "done")]))
    with pytest.raises(subprocess.TimeoutExpired):
        asked.wait(1)
    (tmp_path / "go").touch()
    assert json.loads(asked.communicate(timeout=60)[0])["paths"][str(tmp_path / "done")]
    assert left.wait(60) == 0


def step_under_way(place):
    """A step that has started, and ends once a file "go" exists."""
    step = {"do": "state", "name": "slow", "source": SLOW, "items": {}, "changed": [], "removed": []}
    request = {**step, "context": {"place": str(place)}, "payload": {}, "timeout": 60, "libraries": {}}
    left = start(request)
    while not (place / "began").exists():
        assert left.poll() is None, left.communicate()
        time.sleep(0.01)
    return left


def start(request):
    pipe = subprocess.PIPE
    running = subprocess.Popen(["sh", "-c", protocol.COMMAND], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert running.stdin
    running.stdin.write("\n".join(lines(request)) + "\n")
    running.stdin.flush()
    return running


@pytest.mark.skipif(os.geteuid() != 0, reason="only root waits for turns")
def test_an_action_in_parallel_does_not_wait_for_a_step(tmp_path):
    left = step_under_way(tmp_path)
    assert agent(action("def echo(context):\n    return context\n", "echo", y=1)) == {"y": 1}
    assert left.poll() is None
    (tmp_path / "go").touch()
    assert left.wait(60) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root waits for turns")
def test_an_exclusive_action_waits_for_a_step(tmp_path):
    left = step_under_way(tmp_path)
    waiting = start(action("def echo(context):\n    return context\n", "echo", alone=True, y=1))
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(1)
    (tmp_path / "go").touch()
    assert json.loads(waiting.communicate(timeout=60)[0]) == {"y": 1}
    assert left.wait(60) == 0


def test_an_action_without_an_answer_returns_its_output():
    done = agent_text(action("def work(context):\n    print('worked')\n", "work"))
    assert (done.returncode, done.stdout) == (0, "worked\n")


SHOWN = """
from nexus.agent.lib import run
from nexus.agent.file import write_atomic
def work(context):
    run(["printf", "%s", "two words"], input="canary-in", env={"CANARY": "canary-env"})
    run(["sh", "-c", "true\\nfalse || true"])
    write_atomic(context["place"], b"canary-file", owner=context["owner"], group=context["group"])
"""


@pytest.mark.parametrize("told", [True, False])
def test_commands_and_paths_are_shown_but_no_content(tmp_path, told):
    request = action(SHOWN, "work", alone=True, place=str(tmp_path / "x"), **ME)
    done = agent_text({**request, "commands": told})
    assert done.returncode == 0, done.stderr
    wanted = ["$ printf %s 'two words'", "$ sh -c 'true ...", f"> {tmp_path}/x"]
    assert done.stdout.splitlines() == (wanted if told else [])


def test_an_action_that_fails_says_why():
    source = "from nexus.agent.lib import RemoteError\ndef work(context):\n    raise RemoteError('the disk is full')\n"
    done = agent_text(action(source, "work"))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "the disk is full\n")
