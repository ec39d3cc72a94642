"""Prepared leaves: what a run plans and sends so that hosts renew without a run."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from nexus.error import OperatorError
from nexus.pki.ca import Authority
from nexus.pki.x509 import Signer
from nexus.plan.desired import State
from nexus.plan.diff import compare
from roles.certificate.host.stock import PREPARED
from roles.certificate.plan import KEY, LEAF, UNIT, plan
from roles.certificate.prepared import ITEM
from tests.plan.environments import environment
from tests.plan.store_environment import file, text, told


def prepared(tmp_path: Path, **settings: Any) -> State:
    env = environment(tmp_path, {"app1": "app"}, **settings)
    (state,) = plan(env, env.hosts[0]).states
    return state


def test_a_run_without_changes_signs_no_leaf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = environment(tmp_path, {"data1": "etcd app"})
    planned, made = plan(env, env.hosts[0]), list[int]()
    sign = Signer.leaf

    def counted(*arguments: Any) -> Any:
        made.append(1)
        return sign(*arguments)

    monkeypatch.setattr(Signer, "leaf", counted)
    again = plan(env, env.hosts[0])
    assert len(made) == 2, "the leaves of now, of both authorities"
    made.clear()
    (state,) = again.states
    answer: dict[str, Any] = {"paths": {}, "packages": {}, "users": {}, "groups": {}, "units": {}, "manifest": {}}
    found = {"certificate": {"items": {ITEM: dict(state.items[ITEM])}}}
    compare("certificate", again, {**answer, "states": found}, {})
    assert (planned.states[0].items, made) == (state.items, [])
    steps = compare("certificate", again, {**answer, "states": {}}, {}).steps
    (step,) = [one for one in steps if one["do"] == "state"]
    assert len(made) == sum(len(pair["leaves"]) for pair in step["payload"]["pairs"]) in range(48, 53)
    assert not step["payload"]["final"]


def test_the_stock_changes_with_its_inputs(tmp_path: Path, authority: Authority) -> None:
    def identity(groups: str = "app", **settings: Any) -> str:
        env = environment(tmp_path, {"app1": groups}, **settings)
        for what in ("tls", "etcd"):
            env.secrets.get(f"{what}/ca-key", lambda: authority.key)
            env.secrets.get(f"{what}/ca-certificate", lambda: authority.certificate)
        return json.dumps(plan(env, env.hosts[0]).states[0].items[ITEM])

    found = {
        identity(groups, **settings)
        for groups, settings in (
            ("app", {}),
            ("app", {"certificate_names": ["more"]}),
            ("app", {"certificate_period_seconds": 3600, "certificate_prepared_days": 1.0}),
            ("app etcd", {}),
            ("app edge", {"nginx_certificate": "/etc/letsencrypt/live/nexus/fullchain.pem"}),
        )
    }
    assert len(found) == 5
    assert identity() in found


def test_leaves_end_with_their_authority(tmp_path: Path) -> None:
    payload = prepared(tmp_path, certificate_prepared_days=3600.0).payload
    assert payload["final"]
    assert payload["pairs"][0]["leaves"][-1]["ends"] <= dt.datetime.now(dt.UTC).timestamp() + 3650 * 86400


@pytest.mark.parametrize("settings", [
    {"certificate_prepared_days": 0.0}, {"certificate_period_seconds": 90}, {"certificate_prepared_days": 90000.0},
])  # fmt: skip
def test_too_many_and_too_few_leaves_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(OperatorError, match=r"certificate_prepared_days is .* leaves for each host\. Choose"):
        prepared(tmp_path, **settings)


def test_keys_of_prepared_leaves_are_never_shown(tmp_path: Path) -> None:
    env = environment(tmp_path, {"app1": "app"})
    planned = plan(env, env.hosts[0])
    assert "PRIVATE KEY" not in told(planned)
    assert "PRIVATE KEY" not in repr(planned)
    assert file(planned, KEY).mode == 0o640
    assert PREPARED not in {one.path for one in planned.files}


def test_the_program_starts_before_daemons_and_on_its_timer(tmp_path: Path) -> None:
    env = environment(tmp_path, {"app1": "app"}, certificate_period_seconds=90, certificate_prepared_days=0.05)
    planned = plan(env, env.hosts[0])
    assert "Before=basic.target" in text(planned, f"/etc/systemd/system/{UNIT}.service")
    assert "OnUnitInactiveSec=9\n" in text(planned, f"/etc/systemd/system/{UNIT}.timer")
    env = environment(tmp_path, {"app1": "app"})
    assert "OnUnitInactiveSec=3600\n" in text(plan(env, env.hosts[0]), f"/etc/systemd/system/{UNIT}.timer")
    assert text(plan(env, env.hosts[0]), LEAF).startswith("-----BEGIN CERTIFICATE")
