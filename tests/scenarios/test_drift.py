"""Hand edits on hosts: the drift report names each, and the next run converges it."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Figure
from control import PROJECT, Control
from database import Database


@dataclass(frozen=True)
class Edit:
    """An edit on a host by hand, and the item that must be in the report."""

    kind: str
    group: str
    command: str
    item: str


ROLE = "glitch_a"
EDITS = [
    Edit("file", "edge", "sh -c 'echo \"# by hand\" >>/etc/nginx/nginx.conf'", "file /etc/nginx/nginx.conf"),
    Edit("unit", "ops", "systemctl stop prometheus-node-exporter", "unit prometheus-node-exporter"),
    Edit("package", "ops", "apt-get remove -y -q curl", "package curl"),
    Edit("service", "app", "docker service scale -d nexus_glitch=0", "service glitch"),
    Edit("firewall rule", "edge", "nft flush chain inet nexus forward", "firewall"),
    Edit("database role", "primary", f"runuser -u postgres -- psql -Xqc 'ALTER ROLE {ROLE} NOLOGIN'", f"role {ROLE}"),
]


@pytest.fixture
def settled(control: Control) -> Iterator[Control]:
    """The environment as planned, before and after."""
    control.converged()
    yield control
    control.converged()


def drift(control: Control) -> tuple[int, dict[str, Any], str]:
    """(exit status, the report as data, the output)."""
    done = control.run(deploy="deploys/drift.py")
    found = json.loads((PROJECT / "reports" / f"drift-{control.name}.json").read_text())
    return done.status, found, done.output


def place(control: Control, edit: Edit) -> str:
    """The host of the edit."""
    return Database(control).primary() if edit.group == "primary" else control.group(edit.group)[0]


def test_hand_edits_are_named_and_converged(settled: Control, figure: Figure) -> None:
    status, clean, told = drift(settled)
    assert status == 0, told
    assert (clean["drift"], clean["unhealthy"], clean["unknown"]) == ([], [], {})
    began = time.time()
    for edit in EDITS:
        settled.ssh(place(settled, edit), f"sudo {edit.command}")
    status, found, told = drift(settled)
    assert status == 1
    lines = {line["item"]: line for line in found["drift"]}
    missing = [edit.kind for edit in EDITS if edit.item not in lines]
    assert not missing, told
    for edit in EDITS:
        line = lines[edit.item]
        assert line["before"] != line["after"], line
        assert line["last_run"], f"{edit.kind}: no run on record made {edit.item}"
        assert edit.item in told
        assert bool(line["lines"]) == (edit.kind == "file"), line
        if edit.kind in ("file", "unit", "package", "service"):
            assert began - 5 <= line["since"] <= time.time() + 5, line
    page = (PROJECT / "reports" / f"drift-{settled.name}.html").read_text()
    assert all(edit.item in page for edit in EDITS)
    again = {line["item"]: line["first_seen"] for line in drift(settled)[1]["drift"]}
    assert {item: again[item] for item in lines if item in again} == {
        item: line["first_seen"] for item, line in lines.items() if item in again
    }
    done = settled.converged()
    figure("drift: six hand edits converged", done.seconds)
    assert {edit.item for edit in EDITS} <= {change.split(": ")[1] for change in done.changes}
    status, _, told = drift(settled)
    assert status == 0, told


CHANGED: dict[str, Any] = {"nginx_hsts_seconds": 86400}


def test_a_reviewed_plan_is_applied_once_if_nothing_moved(settled: Control, tmp_path: Path) -> None:
    plan, edge = str(tmp_path / "plan.json"), settled.group("edge")[0]
    written = settled.run("--dry", data={**CHANGED, "plan": plan})
    assert written.status == 0, written.end
    assert "to make on" in written.output
    settled.ssh(edge, "sudo systemctl stop prometheus-node-exporter")
    refused = settled.run(data={**CHANGED, "apply": plan})
    assert refused.status == 1
    moved = f"{edge}: unit prometheus-node-exporter was enabled, running"
    assert moved in refused.output, refused.end
    assert "Nothing was changed on any host." in refused.output
    assert refused.changes == []
    settled.ssh(edge, "sudo systemctl start prometheus-node-exporter")
    other = settled.run(data={"apply": plan, "nginx_hsts_seconds": 86401})
    assert other.status == 1
    assert f"checkout: {edge}, file /etc/nginx" in other.output, other.end
    applied = settled.run(data={**CHANGED, "apply": plan})
    assert applied.status == 0, applied.end
    assert applied.closing[0] > 0
    late = settled.run(data={**CHANGED, "apply": plan})
    assert late.status == 1
    assert "has moved since" in late.output


def test_the_record_says_who_changed_what(settled: Control) -> None:
    edge = settled.group("edge")[0]
    assert settled.run(data=CHANGED).status == 0
    about = settled.run(deploy="deploys/history.py", data={"host": edge, "since": "today", "item": "nginx"}).output
    assert "file /etc/nginx/" in about
    assert f"{getpass.getuser()}@" in about
    assert "complete after" in about
    assert "deploys/full.py --data nginx_hsts_seconds=86400" in about
    wrong = settled.run(deploy="deploys/history.py", data={"since": "whenever"})
    assert wrong.status == 1
    assert "since=whenever is not a time" in wrong.output
