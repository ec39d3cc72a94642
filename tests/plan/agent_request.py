"""Requests to an agent, each sent as to a host and answered here."""

import grp
import json
import os
import pwd
import subprocess
from typing import Any

from nexus.plan import diff
from nexus.plan.desired import Desired, File
from nexus.transport import protocol
from nexus.transport.protocol import lines
from tests.plan.step_request import step

ME: dict[str, Any] = {"owner": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}


def agent_text(request):
    return subprocess.run(
        ["sh", "-c", protocol.COMMAND],
        input="\n".join(lines(request)) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )


def action(source, function, alone=False, **context):
    about = {"do": "action", "name": "test", "function": function, "alone": alone}
    return {**about, "source": source, "libraries": [], "context": context}


def agent(request, check=True):
    done = agent_text(request)
    assert not check or done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else done


def file(path, data):
    return step(File(str(path), data, mode=0o640, **ME))


def question(states=None, paths=(), packages=()):
    """A question to a host with these planned paths and packages, and states of the given source."""
    asked = diff.question([Desired(absent=paths, packages=packages)])
    texts = asked["texts"]
    for name, wanted in (states or {}).items():
        texts += [wanted["source"], *(text for _, text in wanted["libraries"])]
        asked["states"][name] = {
            **wanted,
            "source": texts.index(wanted["source"]),
            "libraries": [[module, texts.index(text)] for module, text in wanted["libraries"]],
        }
    return asked
