"""Role acme: what it plans, what it refuses, when it renews, and what Nginx answers."""

from __future__ import annotations

import json
import re
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from josepy.json_util import encode_b64jose
from josepy.jwk import JWKEC

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan.diff import complete
from nexus.plan.kinds.unit import DROP_IN, Unit
from roles.acme import account, settings
from roles.acme.host import metrics, state
from roles.acme.host.places import CONFIG
from roles.acme.host.renewer.due import again, due
from roles.acme.host.renewer.leaf import Leaf
from roles.acme.plan import plan
from roles.acme.status import rows
from roles.certificate.plan import CA, LEAF, clients_pair, edge_place
from roles.nginx.plan import plan as nginx_plan
from roles.table import ROLES
from tests.plan.environments import environment

URL = "https://authority.example/directory"
GROUPS = {"edge1": "edge", "edge2": "edge", "ops1": "ops", "ops2": "ops"}
DAY = 86400.0
PLANS = {"edge1": ("certificate", "nginx", "acme"), "ops1": ("certificate", "acme"), "ops2": ("acme",)}


def on(directory: Path, groups: dict[str, str] | None = None, **changed: Any) -> Environment:
    return environment(directory, groups or GROUPS, **{"acme_directories": [URL], **changed})


def texts(env: Environment, host: str) -> dict[str, str]:
    return {file.path: file.data.decode(errors="replace") for file in nginx_plan(env, env.host(host)).files}


def test_off_by_default(tmp_path: Path) -> None:
    env = environment(tmp_path, GROUPS)
    for host in env.hosts:
        assert plan(env, host).everything == []
    assert clients_pair(env.host("edge1"))[0] == LEAF
    found = "\n".join(texts(env, "edge1").values())
    assert "acme-challenge" not in found
    assert "acme/account-key" not in env.secrets.names()


def test_a_run_can_complete_its_plans(tmp_path: Path) -> None:
    """Also where the port of the socket changes: it starts again."""
    env = on(tmp_path)
    for host in env.hosts:
        desired = complete(plan(env, host))
        assert len({file.path for file in desired.files}) == len(desired.files)
    (drop_in,) = [file for file in complete(plan(env, env.host("edge1"))).files if file.path.endswith(f"/{DROP_IN}")]
    assert drop_in.path == f"/etc/systemd/system/nexus-acme-edge.socket.d/{DROP_IN}"
    assert drop_in.data.startswith(b"[Socket]\nExecStartPre=")


def test_a_timer_cannot_follow_changes_of_files() -> None:
    with pytest.raises(ValueError, match=r"nexus-acme\.timer runs no command before it starts"):
        Unit("nexus-acme.timer", restart_on=(CONFIG,)).drop_in()


def test_edge_hosts_trust_what_they_show(tmp_path: Path) -> None:
    off, public = environment(tmp_path, GROUPS), on(tmp_path)
    assert [edge_place(env.host("edge1"), "x")["ca"] for env in (off, public)] == [CA, ""]


def test_ops_hosts_have_the_key_and_edge_hosts_do_not(tmp_path: Path) -> None:
    env = on(tmp_path)
    key = account.key(env)
    for host in map(env.host, PLANS):
        named = [
            file
            for role in PLANS.get(host.name, ())
            for file in ROLES.plan(role)(env, host).files
            if key in _text(file)
        ]
        named += [file for file in plan(env, host).files if "PRIVATE KEY" in _text(file) and file not in named]
        wanted = [CONFIG] if "ops" in host.groups else []
        assert [file.path for file in named] == wanted
        assert all((file.mode, file.secret) == (0o600, True) for file in named)


def _text(file: Any) -> str:
    return json.dumps(file.data.decode(errors="replace")).replace("\\\\n", "\n").replace("\\n", "\n")


def test_hosts_have_ranks_and_one_answers_for_all(tmp_path: Path) -> None:
    env = on(tmp_path)
    found = {host.name: plan(env, host) for host in env.group("ops")}
    configs = [json.loads(file.data) for each in found.values() for file in each.files if file.path == CONFIG]
    assert [config["rank"] for config in configs] == [0, 1]
    assert [config["edges"] for config in configs] == [{"edge1": "10.0.0.1", "edge2": "10.0.0.2"}] * 2
    assert {name: len(each.states) for name, each in found.items()} == {"ops1": 1, "ops2": 0}
    without = on(tmp_path, without="ops1,edge2")
    [only] = plan(without, without.host("ops2")).states
    assert sorted(only.items) == ["public certificate", "public certificate of edge1"]


def test_a_host_can_be_both(tmp_path: Path) -> None:
    env = on(tmp_path, {"box1": "edge ops"})
    paths = [file.path for file in plan(env, env.host("box1")).files]
    assert len(paths) == len(set(paths))


def test_the_thumbprint_is_that_of_the_standard(tmp_path: Path) -> None:
    env = on(tmp_path)
    key = JWKEC.load(account.key(env).encode())
    assert account.thumbprint(env) == encode_b64jose(key.thumbprint())
    env.secrets.put(account.SECRET, "no key")
    with pytest.raises(OperatorError, match="is not an ECDSA P-256 key"):
        account.thumbprint(env)


def test_every_name_that_nginx_serves_is_in_the_certificate(tmp_path: Path) -> None:
    env = on(tmp_path, acme_names=["www.nexuscos.example.com"])
    served = re.findall(r"server_name ([^_;]+);", "\n".join(texts(env, "edge1").values()))
    assert len(served) == 2
    assert set(served) | {"www.nexuscos.example.com"} == set(settings.names(env))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"acme_directories": ["http://authority.example"]}, "is not a directory of an authority"),
        ({"nginx_certificate": "/etc/other.pem"}, "both say what Nginx shows"),
        ({"acme_names": [f"n{number}.example.com" for number in range(24)]}, "makes 26 names, and a certificate has"),
        ({"acme_names": ["*.example.com"]}, "cannot be proven over HTTP"),
        ({"acme_challenge": "dns"}, 'acme_challenge is "dns": set http, dns-rfc2136 or dns-route53'),
        ({"acme_challenge": "dns-rfc2136"}, "acme_dns_zone is empty: set it"),
        ({"acme_challenge": "dns-route53", "acme_dns_zone": "example.com"}, "acme_route53_zone is empty"),
        (
            {"acme_challenge": "dns-rfc2136", "acme_dns_zone": "x", "acme_dns_server": "x", "acme_dns_key_name": "x"},
            'the secret "acme/dns-key" is missing: enter it with `make secrets-edit`',
        ),
        ({"acme_external_accounts": {URL: "kid"}}, 'the secret "acme/external-key/kid" is missing'),
    ],
)
def test_settings_are_refused(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    env = on(tmp_path, **changed)
    with pytest.raises(OperatorError, match=re.escape(words)):
        plan(env, env.host("ops1"))


def test_an_environment_without_ops_hosts_is_refused(tmp_path: Path) -> None:
    env = on(tmp_path, {"edge1": "edge"})
    with pytest.raises(OperatorError, match="has no ops host"):
        plan(env, env.host("edge1"))


def leaf(begins: float, life: float, serial: str = "1") -> Leaf:
    return Leaf(serial, frozenset({"a"}), "", begins, begins + life, "")


def test_a_certificate_is_due_after_two_thirds_of_its_life() -> None:
    when, _ = due(leaf(0, 90 * DAY), {}, frozenset({"a"}), 0, 1)
    assert 58 * DAY < when <= 60 * DAY
    later, _ = due(leaf(0, 90 * DAY), {}, frozenset({"a"}), 1, 1)
    assert later - when == 1.5 * DAY  # before the alert at 0.3 of the life
    told = {"information": {"serial": "1", "start": 10.0, "end": 20.0}}
    assert 10 <= due(leaf(0, 90 * DAY), told, frozenset({"a"}), 0, 1)[0] <= 20
    told["information"]["serial"] = "2"  # of another certificate
    assert due(leaf(0, 90 * DAY), told, frozenset({"a"}), 0, 1)[0] == when
    assert due(leaf(0, DAY), {}, frozenset({"a"}), 0, 2 * DAY) == (2 * DAY, "there is no certificate")
    assert due(leaf(0, DAY), {}, frozenset({"b"}), 0, 5)[1] == "its names differ from the settings"


def test_six_day_certificates_for_a_month_without_a_gap() -> None:
    own, orders, gaps, now = leaf(0, 6 * DAY), 0, 0, 0.0
    while now < 30 * DAY:
        now += 90
        gaps += own.ends <= now
        if due(own, {}, frozenset({"a"}), 0, now)[0] <= now:
            orders += 1
            own = leaf(now, 6 * DAY, str(orders))
    assert (orders, gaps) == (7, 0)  # of 7.5 periods of four days


def test_refusals_are_answered_by_longer_waits() -> None:
    assert [again(count, 0.0) / 60 for count in (1, 2, 3, 9)] == [15, 30, 60, 360]
    assert again(1, 0.0, asked=7200) == 7200


def test_the_probe_compares_what_edge_hosts_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = on(tmp_path)
    chain = env.tls.leaf(["x"]).certificate
    record = tmp_path / "record.json"
    context = {"record": str(record), "edges": {"edge1": "a", "edge2": "b", "edge3": "c"}, "https_port": 1, "names": []}
    shown = {"edge1": ssl.PEM_cert_to_DER_cert(chain), "edge2": b"other"}

    def ask(context: Any, name: str) -> bytes:
        if name not in shown:
            raise OSError("refused")
        return shown[name]

    monkeypatch.setattr(state, "shown", ask)
    assert [item["shown"] for item in state.probe([], context).values()] == [False, False, False]
    known = {"pair": {"chain": chain + chain}, "names": ["x"], "ends": time.time() + 9, "serial": "1", "orders": 1}
    record.write_text(json.dumps({**known, "begins": 1, "edges": {"edge1": {"serial": "1"}, "edge2": {"serial": "2"}}}))
    found = state.probe([], context)
    assert found["public certificate"] == {"names": ["x"], "valid": True}
    assert found["public certificate of edge1"] == {"shown": True}
    assert found["public certificate of edge2"]["how"] == "edge2 shows another certificate"
    assert found["public certificate of edge3"]["how"] == "edge3 shows no certificate: refused"
    values = {name + str(labels): value for name, labels, value in metrics.samples([str(record)])}
    assert values["nexus_acme_shown{'edge': 'edge1'}"] == 1
    assert values["nexus_acme_shown{'edge': 'edge2'}"] == 0
    assert values["nexus_acme_failing_seconds{}"] == pytest.approx(0, abs=1)
    assert list(metrics.samples([str(tmp_path / "none")])) == []


def test_status_rows(tmp_path: Path) -> None:
    env = on(tmp_path)
    known = {"serial": "1", "names": ["a", "b"], "begins": 0.0, "ends": 90 * DAY, "authority": URL, "edges": {}}
    known["edges"] = {"edge1": {"serial": "1"}, "edge2": {"error": "refused"}}
    older = {"authority": "", "begins": -1.0, "ends": 0.0, "serial": "0", "names": ["a"]}
    answers: dict[str, Any] = {"ops1": {"acme": older}, "ops2": {"acme": known}}
    found = {row.what: row for row in rows(env, answers, 10 * DAY)}
    assert found["a, b"].value == "80 days left, by authority.example"
    assert not found["a, b"].missed
    assert not found["edge1"].missed
    assert found["edge2"].value == "refused"
    assert found["edge2"].missed
    known |= {"reason": "no"}
    [late, *_] = rows(env, answers, 70 * DAY)
    assert late.value == "20 days left, by authority.example; the renewal fails: no"
    assert late.missed
    [none, *_] = rows(env, {"ops1": {"acme": {"authority": "", "reason": "why"}}}, 0)
    assert none.value == "none yet: why"
    assert none.missed
    assert list(rows(environment(tmp_path, GROUPS), answers, 0)) == []
