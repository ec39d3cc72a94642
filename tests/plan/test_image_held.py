"""A registry that lost its storage gets its images back from the hosts that run them, with their digests."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from nexus.error import OperatorError
from roles.image import held as controller
from roles.image.held import Push, bring_back, chosen, contents, homes
from roles.image.host import held, lost
from roles.image.plan import plan
from tests.plan.environments import environment
from tests.plan.test_image_storage import Storage

PREFIX = "ops1:5000/nexus-cos/"
ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def image(number: str, content: str = "", **names: str) -> dict[str, Any]:
    """An image as the engine inspects it, with {repository: digest}."""
    references = [f"{PREFIX}{name.replace('_', '-')}@{digest}" for name, digest in names.items()]
    labels = {held.CONTENT: content} if content else None
    return {"Id": number, "RepoDigests": [*references, f"debian@{ONE}"], "Config": {"Labels": labels}}


def test_a_host_tells_which_images_it_holds() -> None:
    images = [image("i1", "beef", glitch=ONE, pv_keys=ONE), image("i2", glitch=TWO), image("i3")]
    started = [f"{PREFIX}glitch:2.4.1@{TWO}", f"{PREFIX}glitch:1.0.0@{ONE}", "debian:trixie"]
    assert held.held(PREFIX, images, started) == {
        "i1": {
            "content": "beef",
            "names": {"glitch": {"digest": ONE, "tags": ["1.0.0"]}, "pv-keys": {"digest": ONE, "tags": []}},
        },
        "i2": {"content": "", "names": {"glitch": {"digest": TWO, "tags": ["2.4.1"]}}},
    }


def test_planned_images_are_pushed_once_and_others_by_their_names() -> None:
    shared = {"content": "beef", "names": {name: {"digest": ONE, "tags": ["1.0.0"]} for name in ("glitch", "pv-keys")}}
    older = {"content": "old", "names": {"glitch": {"digest": TWO, "tags": ["0.9", "0.9.1"]}}}
    unused = {"content": "old", "names": {"pv-keys": {"digest": TWO, "tags": []}}}
    bare = {"content": "", "names": {"kei-ai": {"digest": TWO, "tags": []}}}
    found = chosen(
        {"app1": {"i1": shared, "i2": older}, "app2": {"i1": shared, "i3": unused, "i4": bare}},
        {"glitch": "beef", "pv-keys": "beef", "kei-ai": "beef"},
        {"beef": "reference"},
    )
    assert found == {
        "app1": [
            Push("i1", "reference:content-beef", ONE),
            *(Push("i2", f"glitch:{tag}", TWO) for tag in ("0.9", "0.9.1")),
        ],
        "app2": [Push("i3", "pv-keys:content-old", TWO), Push("i4", "kei-ai:held-2222222222222222", TWO)],
    }


class Hosts:
    """Answers of an environment's hosts, and the pushes that they are asked for."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.env = environment(tmp_path, {"app1": "app", "app2": "app", "edge1": "edge", "ops1": "ops"})
        self.environment, self.hosts = self.env, self
        self.payload = plan(self.env, self.env.host("ops1")).states[0].payload
        self.content = contents(self.payload)["glitch"]
        self.lacking: set[str] | None = None
        self.pushed: dict[str, list[str]] = {}
        self.broken = ""
        monkeypatch.setattr(controller, "carry_out", self.carry_out)

    def plan(self, host: str, role: str) -> Any:
        return plan(self.env, self.env.host(host))

    def members(self, role: str) -> list[str]:
        return [host.name for host in self.env.hosts]

    def reaches(self, name: str) -> bool:
        return name != "app2"

    def ask_source(self, name: str, source: Path, names: list[str], context: dict[str, Any]) -> dict[str, Any]:
        if name == "ops1":
            return {one: {} for one in names if self.lacking is None or one in self.lacking}
        known = {"glitch": {"digest": ONE, "tags": ["1.0.0"]}}
        return {"images": {"i1": {"content": self.content, "names": known}} if name == "app1" else {}}

    def carry_out(self, run: Any, host: str, what: str, source: Path, function: str, context: dict[str, Any]) -> None:
        if host == self.broken:
            raise OperatorError(f"{host} could not {what} (see the error above)")
        self.pushed[host] = [push["name"] for push in context["pushes"]]


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hosts:
    return Hosts(tmp_path, monkeypatch)


def test_hosts_push_what_the_registry_lacks(hosts: Any) -> None:
    assert bring_back(hosts, "ops1") == {}
    assert hosts.pushed == {"app1": [f"reference:content-{hosts.content}"]}
    assert homes(hosts.payload)[hosts.content] == "reference"


def test_nothing_is_pushed_to_a_registry_that_has_it(hosts: Any) -> None:
    hosts.lacking = set()
    bring_back(hosts, "ops1")
    assert hosts.pushed == {}


def test_what_cannot_be_pushed_is_built(hosts: Any, caplog: pytest.LogCaptureFixture) -> None:
    hosts.broken = "app1"
    bring_back(hosts, "ops1")
    assert "app1 could not bring images back to the registry" in caplog.text
    assert "built again, and its tasks are replaced" in caplog.text


def test_the_registry_lacks_an_image_with_a_missing_part(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    name = f"glitch@{storage.digest}"
    assert lost.probe([name, f"glitch@{TWO}"], storage.context) == {f"glitch@{TWO}": {}}
    next(storage.root.glob("blobs/sha256/aa/*/data")).unlink()
    assert lost.probe([name], storage.context) == {name: {}}


@pytest.mark.parametrize(("digest", "complaint"), [(ONE, ""), (TWO, "came back with another digest")])
def test_a_push_says_when_the_digest_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], digest: str, complaint: str
) -> None:
    ran: list[list[str]] = []

    def run(argv: list[str], **_: Any) -> str:
        ran.append(argv)
        return f"1.0.0: digest: {digest} size: 1367\n" if argv[1] == "push" else ""

    monkeypatch.setattr(held, "run", run)
    held.push({"registry": "ops1:5000", "pushes": [{"id": "i1", "name": "glitch:1.0.0", "digest": ONE}]})
    assert ran == [["docker", "tag", "i1", f"{PREFIX}glitch:1.0.0"], ["docker", "push", f"{PREFIX}glitch:1.0.0"]]
    said = capsys.readouterr().out
    assert complaint in said
    assert ("another digest" in said) == bool(complaint)


def test_a_host_without_an_engine_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        raise FileNotFoundError("docker")

    monkeypatch.setattr(held, "run", missing)
    assert held.probe(["images"], {"registry": "ops1:5000"}) == {"images": {}}
