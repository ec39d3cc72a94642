"""Host-side code of releases loads on a host, where nothing but what is sent can be imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from roles.kit.lean import lean
from roles.kit.model import code
from roles.postgresql.plan import CONTENTS
from roles.release.migration import MIGRATING, POINT
from roles.release.situation import IMAGE, IMAGES, PULL, REMOTE, SERVICE, TRAFFIC
from roles.swarm.plan import ENGINE, KEPT

AGENT = Path(__file__).parents[2] / "roles/kit/agent"
SENT = [
    (KEPT, ENGINE),
    (REMOTE, SERVICE),
    (TRAFFIC, ()),
    (IMAGES, IMAGE),
    (PULL, ()),
    (MIGRATING, SERVICE),
    (POINT, (*CONTENTS, "roles.postgresql.remote")),
]


@pytest.mark.parametrize(("source", "libraries"), SENT, ids=lambda value: getattr(value, "stem", ""))
def test_it_loads(source, libraries, tmp_path):
    sent = code(source, libraries)
    program = f"""
import sys, types
for name in ("roles", "roles.kit", "roles.kit.agent"):
    sys.modules[name] = types.ModuleType(name)
for name, source in {[(name, lean(AGENT / f"{name}.py")) for name in ("loading", "base", "web")]!r}:
    module = sys.modules["roles.kit.agent." + name] = types.ModuleType(name)
    setattr(sys.modules["roles.kit.agent"], name, module)
    exec(compile(source, name, "exec"), module.__dict__)
found = sys.modules["roles.kit.agent.loading"].load("test", {sent["source"]!r}, {sent["libraries"]!r})
assert callable(found.get("apply") or found.get("probe"))
"""
    done = subprocess.run([sys.executable, "-ISc", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
