"""What a run remembers of the last run: a guess that may be missing, damaged or out of date."""

import pytest

from nexus.environment.environment import Traits
from nexus.run.last_run import Memory

HOST = Traits(2, 24 * 1024**3, 1400, 0, "x86_64", {"memory": True, "cpu": False})


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "nexus-cos" / "lab.json"


def test_kept_values_are_remembered(cache):
    memory = Memory("lab")
    memory.keep("app1", HOST)
    memory.digests = {"glitch": "sha256:1"}
    memory.save()
    again = Memory("lab")
    assert again.traits("app1") == HOST
    assert again.digests == {"glitch": "sha256:1"}
    assert again.traits("app2") is None


DAMAGED = ["", "{", "[]", '{"traits": 3}', '{"traits": {"app1": {"cpus": 2}}}', '{"traits": {"app1": 3}}']


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_memory_counts_as_empty(cache, text):
    cache.parent.mkdir(parents=True)
    cache.write_text(text)
    assert Memory("lab").traits("app1") is None


def test_a_run_works_without_a_writable_memory(cache):
    cache.parent.parent.mkdir(exist_ok=True)
    cache.parent.write_text("a file in the way")
    memory = Memory("lab")
    memory.keep("app1", HOST)
    memory.save()
    assert Memory("lab").traits("app1") is None
