"""Values that the environment keeps in its swarm: one config, written as a whole, and those of an earlier version."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from roles.swarm.host import state_store
from roles.swarm.plan import STORE

BEFORE = {  # one of each kind, as the version before wrote it
    "replicas auth-service": {"value": 5},
    "drained app2": {"at": "2026-11-22"},
    "maintenance puabo-nexus": {"at": "2026-11-23"},
    "release auth-service": {"current": {"release": "2.4.1"}, "history": [{"release": "1.0.0"}]},
}
INFO = {"ControlAvailable": True, "LocalNodeState": "active"}


class Swarm:
    """Configs of a swarm by Docker's API. `others` concurrent writes make ours fail."""

    def __init__(self, *configs: dict[str, Any], others: int = 0) -> None:
        self.configs: dict[str, Any] = {str(number): {"ID": str(number), "Version": {"Index": 1}, "Spec": spec}
                        for number, spec in enumerate(configs)}  # fmt: skip
        self.others = others

    def list(self, kind: str, **filters: Any) -> Any:
        assert kind == "configs"
        found = [one for one in self.configs.values() if self._matches(one["Spec"], filters)]
        return json.loads(json.dumps(found))

    def _matches(self, spec: dict[str, Any], filters: dict[str, Any]) -> bool:
        (kind, (wanted,)) = next(iter(filters.items()))
        return spec["Name"].startswith(wanted) if kind == "name" else wanted in spec["Labels"]

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        if method == "DELETE":
            del self.configs[path.rsplit("/", 1)[1]]
            return 204, None
        if path == "/configs/create":
            if any(one["Spec"]["Name"] == body["Name"] for one in self.configs.values()):
                return 409, {"message": "it exists"}
            self.configs["new"] = {"ID": "new", "Version": {"Index": 1}, "Spec": body}
            return 201, {"ID": "new"}
        identity, version = path.removeprefix("/configs/").split("/update?version=")
        one = self.configs[identity]
        if self.others:
            self.others -= 1
            one["Version"]["Index"] += 1
            one["Spec"]["Labels"][f"drained other{self.others}"] = "{}"
        if one["Version"]["Index"] != int(version):
            return 500, {"message": "update out of sequence"}
        one["Version"]["Index"] += 1
        one["Spec"] = body
        return 200, None

    def names(self) -> Any:
        return sorted(one["Spec"]["Name"] for one in self.configs.values())


def former(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects in which the version before kept its values."""
    return [
        {"Name": f"nexus-{name.replace(' ', '-')}",
         "Labels": {"nexus.kept": name, "nexus.value": json.dumps(value, sort_keys=True)}}
        for name, value in values.items()
    ]  # fmt: skip


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The answer of a swarm to a run, without the planned item."""
    monkeypatch.setattr(state_store, "found_info", lambda: INFO)

    def ask(swarm: Swarm) -> tuple[dict[str, Any], bool]:
        monkeypatch.setattr(state_store, "Docker", lambda timeout=0: swarm)
        found = state_store.probe([STORE], {"directory": "/nowhere"})
        return found, found.pop(STORE, None) is not None

    return ask


def keep(swarm: Swarm, values: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state_store, "Docker", lambda: swarm)
        state_store.keep({"keep": values})


def test_the_plan_and_the_host_name_the_same_place() -> None:
    assert state_store.NAME == STORE == "nexus-environment"


def test_entries_of_an_earlier_version_are_taken_over(probe: Any) -> None:
    swarm = Swarm(*former(BEFORE), {"Name": "auth-service-0123456789", "Labels": {}})
    assert probe(swarm) == (BEFORE, False)  # unchanged, and the planned item is missing, so that a run creates it
    state_store.apply(Change({STORE: {}}, [STORE], [], {"directory": "/nowhere"}, {}))
    assert probe(swarm) == (BEFORE, True)
    assert swarm.names() == ["auth-service-0123456789", STORE]


def test_a_runbook_takes_entries_over_before_any_run(probe: Any) -> None:
    swarm = Swarm(*former(BEFORE))
    keep(swarm, {"drained app2": None, "replicas glitch": {"value": 2}})
    left = {name: value for name, value in BEFORE.items() if name != "drained app2"}
    assert probe(swarm) == ({**left, "replicas glitch": {"value": 2}}, True)
    assert swarm.names() == [STORE]


def test_an_aborted_takeover_brings_back_no_removed_entry(probe: Any) -> None:
    swarm = Swarm(*former(BEFORE))
    keep(swarm, {"drained app2": None})
    swarm.configs["left"] = {"ID": "left", "Version": {"Index": 1}, "Spec": former(BEFORE)[1]}
    assert "drained app2" not in probe(swarm)[0]
    keep(swarm, {})
    assert swarm.names() == [STORE]


def test_an_earlier_version_fails_instead_of_finding_nothing() -> None:
    """Otherwise it would deploy every service at its checkout's release, and let drained hosts take tasks again."""
    swarm = Swarm(*former(BEFORE))
    keep(swarm, {})
    found = swarm.list("configs", label=["nexus.kept"])
    with pytest.raises(KeyError):  # as its probe reads them
        _ = {one["Spec"]["Labels"]["nexus.kept"]: one["Spec"]["Labels"]["nexus.value"] for one in found}


def test_a_concurrent_write_is_not_lost(probe: Any) -> None:
    swarm = Swarm()
    keep(swarm, {"replicas glitch": {"value": 2}})
    swarm.others = 2
    keep(swarm, {"replicas glitch": {"value": 3}})
    assert probe(swarm)[0] == {"replicas glitch": {"value": 3}, "drained other1": {}, "drained other0": {}}
    swarm.others = state_store.ATTEMPTS
    with pytest.raises(RemoteError, match="cannot keep replicas glitch in the swarm: update out of sequence"):
        keep(swarm, {"replicas glitch": {"value": 4}})
