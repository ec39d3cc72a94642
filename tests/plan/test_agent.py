"""The agent, run as it runs on a host: one request over standard input, here against a scratch directory."""

import os
import subprocess
import sys
import time

import pytest

from nexus.plan.desired import Link
from nexus.plan.kinds.absent import Absent
from tests.plan.agent_request import ME, agent, file, question
from tests.plan.step_request import step

pytestmark = pytest.mark.usefixtures("own_run")


def test_a_probe_finds_what_a_step_wrote(tmp_path):
    path = str(tmp_path / "deep" / "x")
    agent(file(path, b"one"))
    kind, mode, owner, group, digest = agent(question(paths=[path]))["paths"][path]
    assert (kind, mode, owner, group) == ("file", 0o640, ME["owner"], ME["group"])
    assert digest == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"


def test_missing_paths_are_reported_as_missing(tmp_path):
    assert agent(question(paths=[str(tmp_path / "no")]))["paths"] == {str(tmp_path / "no"): None}


READER = """
import os, sys
seen = set()
while not os.path.exists(sys.argv[2]):
    seen.add(len(open(sys.argv[1], "rb").read()))
print(*seen)
"""


def test_a_file_is_replaced_atomically_without_leftovers(tmp_path):
    (tmp_path / "d").mkdir()
    path, stop = tmp_path / "d" / "x", tmp_path / "stop"
    path.write_bytes(b"a" * 500_000)
    command = [sys.executable, "-c", READER, str(path), str(stop)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        for letter in (b"b", b"c", b"d"):
            agent(file(path, letter * 500_000))
        stop.touch()
        assert reader.communicate()[0].split() == ["500000"]
    assert os.listdir(tmp_path / "d") == ["x"]


def test_a_directory_in_the_way_of_a_file_is_named_not_removed(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "kept").write_text("")
    done = agent(file(tmp_path / "x", b""), check=False)
    assert done.returncode == 1
    assert f"{tmp_path}/x is a directory and should be a file" in done.stderr
    assert (tmp_path / "x" / "kept").exists()


def test_unknown_packages_are_left_out_of_the_answer():
    assert agent(question(packages=["dpkg", "no-such-package"]))["packages"] == {"dpkg": "installed"}


def test_links_are_replaced_and_absent_paths_go(tmp_path):
    (tmp_path / "old").write_text("")
    os.symlink("/nowhere", tmp_path / "link")
    agent(step(Link(str(tmp_path / "link"), "/etc")))
    agent(step(Absent(str(tmp_path / "old"))))
    assert os.readlink(tmp_path / "link") == "/etc"
    assert not (tmp_path / "old").exists()


def test_a_role_that_cannot_be_asked_is_an_answer_too():
    source = "from nexus.agent.lib import run\ndef probe(names, context):\n    run(['false'])\n"
    states = {"bad": {"source": source, "libraries": [], "names": [], "context": {}}}
    reply = agent(question(states=states))["states"]["bad"]
    assert reply["items"] == {}
    assert "false ended with 1" in reply["error"]


def test_host_side_code_imports_the_libraries_sent_with_it():
    source = "from some.shared import answer\ndef probe(names, context):\n    return {'x': {'y': answer()}}\n"
    library = ["some.shared", "def answer():\n    return 42\n"]
    states = {"s": {"source": source, "libraries": [library], "names": [], "context": {}}}
    assert agent(question(states=states))["states"]["s"] == {"items": {"x": {"y": 42}}}


def test_a_secret_in_a_request_is_in_no_process_list(tmp_path):
    source = (
        "import subprocess\n"
        "def probe(names, context):\n"
        "    return {'ps': {'all': subprocess.check_output(['ps', 'axww', '-o', 'args'], text=True)}}\n"
    )
    states = {"s": {"source": source, "libraries": [], "names": [], "context": {"password": "canary-7f3a"}}}
    shown = agent(question(states=states))["states"]["s"]["items"]["ps"]["all"]
    assert "base64" in shown
    assert "canary-7f3a" not in shown


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_requests_of_any_size_arrive(tmp_path, size):
    data = os.urandom(size)
    agent(file(tmp_path / "x", data))
    assert (tmp_path / "x").read_bytes() == data


def test_a_probe_reports_when_a_file_last_changed(tmp_path):
    (tmp_path / "x").write_text("")
    began = time.time()
    os.utime(tmp_path / "x", (1, 1))  # an editor may set this time back, but not the time of the last write
    os.chmod(tmp_path / "x", 0o600)
    paths = [str(tmp_path / "x"), str(tmp_path / "gone"), "/nowhere/at/all"]
    found = agent({"do": "times", "paths": paths, "units": [], "packages": ["no-such-package"]})
    assert set(found["paths"]) == set(paths[:2])
    assert all(began - 5 < when < began + 60 for when in found["paths"].values())
    assert found["packages"] == {}


def state(source, *libraries, **context):
    sent = [[f"nexus_test.{name}", text] for name, text in libraries]
    return {"source": source, "libraries": sent, "names": [], "context": context}


def test_states_are_probed_in_parallel(tmp_path):
    meets = """
import os, time
def probe(names, context):
    open(context["mine"], "w").close()
    end = time.monotonic() + 60
    while not os.path.exists(context["other"]):
        if time.monotonic() > end:
            raise TimeoutError("nobody came")
        time.sleep(0.01)
    return {}
"""
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    states = {"a": state(meets, mine=one, other=other), "b": state(meets, mine=other, other=one)}
    assert agent(question(states=states))["states"] == {"a": {"items": {}}, "b": {"items": {}}}


def test_a_question_shared_by_states_is_asked_once():
    source = """
import time
from nexus.agent.lib import once
from nexus_test.shared import asked
def ask():
    asked.append(1)
    time.sleep(0.2)
    return len(asked)
def probe(names, context):
    return {"times": once(ask, "a question")}
"""
    states = {name: state(f"{source}#{name}", ("shared", "asked = []")) for name in "abc"}
    found = agent(question(states=states))["states"]
    assert [found[name]["items"]["times"] for name in "abc"] == [1, 1, 1]


def test_a_failed_state_does_not_fail_others():
    bad, good = "def probe(names, context): raise OSError('gone')", "def probe(*_): return {}"
    states = {"bad": state(bad), "good": state(good)}
    found = agent(question(states=states))["states"]
    assert found == {"bad": {"items": {}, "error": "OSError: gone"}, "good": {"items": {}}}
