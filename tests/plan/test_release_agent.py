"""Host-side code of releases loads on a host, with only the modules sent with it, and reads a service."""

import subprocess
import sys
from pathlib import Path

import pytest

from nexus.agent import ASKING
from nexus.plan.sent import code
from roles.image.releases import IMAGES
from roles.swarm.plan import KEPT
from runbooks.release.context import PULL, REMOTE, TRAFFIC
from runbooks.release.host import services
from runbooks.release.migration import MIGRATING, POINT

AGENT = Path(__file__).parents[2] / "nexus/agent"
SENT = [KEPT, REMOTE, TRAFFIC, IMAGES, PULL, MIGRATING, POINT]
FUNCTIONS = ("probe", "pull", "migrate", "make")


@pytest.mark.parametrize("source", SENT, ids=lambda path: path.stem)
def test_host_side_code_loads(source, tmp_path):
    sent = code(source)
    program = f"""
import sys, types
for name in ("nexus", "nexus.agent"):
    sys.modules[name] = types.ModuleType(name)
for name, source in {[(name, (AGENT / f"{name}.py").read_text()) for name in ASKING[:-1]]!r}:
    module = sys.modules["nexus.agent." + name] = types.ModuleType(name)
    setattr(sys.modules["nexus.agent"], name, module)
    exec(compile(source, name, "exec"), module.__dict__)
found = sys.modules["nexus.agent.importer"].load("test", {sent["source"]!r}, {sent["libraries"]!r})
assert any(callable(found.get(name)) for name in {FUNCTIONS!r})
"""
    done = subprocess.run([sys.executable, "-ISc", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "mounted",
    [
        {"Configs": [{"ConfigName": "glitch-1", "File": {"Name": "/run/secrets/config"}}]},
        {"Secrets": [{"SecretName": "glitch-1", "File": {"Name": "config"}}]},  # of an earlier version
    ],
)
def test_the_configuration_that_runs_is_found_in_either_form(mounted):
    others = {"Secrets": [{"SecretName": "other", "File": {"Name": "credentials"}}, *mounted.pop("Secrets", [])]}
    spec = {"TaskTemplate": {"ContainerSpec": {"Image": "i", **mounted, **others}}}
    assert services._spec(spec) == {"image": "i", "config": "glitch-1"}
