"""Own code instead of the reference service: built, rolled out, healthy, and rolled back.

The code is a made-up checkout that behaves as the documents describe the shipped code: one service on the environment
that is up, and all services on the box, which needs dozens of images.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from comparison import differences
from conftest import Figure, whole
from control import PROJECT, Control, Outcome

from roles.image.checkout import source

sys.path.insert(0, str(PROJECT / "tests"))
from fixtures.checkout import WITHOUT_CODE, make_checkout

HANDSHAKE = "55-45-17"
ONE = "v-prompter-pro"  # it loads a neighbouring folder, and requires a header


@pytest.fixture
def box(pytestconfig: pytest.Config) -> Iterator[tuple[Control, Outcome]]:
    """The box with the reference services; afterwards it is as it was found."""
    yield from whole("box", pytestconfig)


def own_answers(control: Control, names: list[str]) -> dict[str, str]:
    """Which code answers for each service on a path that only its own code has."""
    asked = {"port": control.planned.setting.router_port, "names": names, "handshake": HANDSHAKE}
    answers: dict[str, str] = control.ask(control.group("edge")[0], "own_code.py", asked)
    return answers


def test_one_service_runs_the_code_of_a_checkout(control: Control, tmp_path: Path, figure: Figure) -> None:
    """The service is built from the checkout, rolled, asked on a path that only its code has, and rolled back."""
    if source(control.planned):
        pytest.skip("NEXUS_SOURCE names real code already")
    before = control.state()
    checkout = make_checkout(tmp_path / "platform", control.planned.catalogue)
    assert own_answers(control, [ONE]) != {ONE: ONE}
    release = f"0.0.{uuid.uuid4().int % 10**9}-code"
    data = {"services": ONE, "release": release, "build": True, "image_source": str(checkout)}
    built = control.run(deploy="deploys/release.py", data=data)
    figure(f"{control.name}: one service rolled to its own code", built.seconds)
    assert built.status == 0, built.end
    assert own_answers(control, [ONE]) == {ONE: ONE}
    back = control.run(deploy="deploys/rollback.py", data={"services": ONE})
    figure(f"{control.name}: one service rolled back to the reference service", back.seconds)
    assert back.status == 0, back.end
    assert own_answers(control, [ONE]) != {ONE: ONE}
    assert control.converged().changes == []
    assert differences(before, control.state()) == []


@pytest.mark.full
def test_services_run_the_code_of_a_checkout(box: tuple[Control, Outcome], tmp_path: Path, figure: Figure) -> None:
    control, first = box
    assert first.status == 0, first.end
    before = control.state()
    checkout = make_checkout(tmp_path / "platform", control.planned.catalogue)
    code = {"image_source": str(checkout), "release": "0.0.0-code"}

    built = control.converged(code)
    figure("box: every service rolled to its own code", built.seconds)
    assert f"no code in {checkout} for {WITHOUT_CODE}" in built.output
    assert control.converged(code).changes == []
    names = [name for name, s in control.planned.catalogue.services.items() if s.source and name != WITHOUT_CODE]
    assert {name: answer for name, answer in own_answers(control, names).items() if answer != name} == {}

    back = control.converged()
    figure("box: rolled back to the reference services", back.seconds)
    assert control.converged().changes == []
    assert differences(before, control.state()) == []
