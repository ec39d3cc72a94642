"""Code of its own instead of the reference service: built, rolled out, healthy, and taken back again.

On the box, from a made-up checkout that behaves as the shipped code is said to. Long: dozens of images.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from comparison import differences
from conftest import Figure, whole
from control import PROJECT, Control, Outcome

sys.path.insert(0, str(PROJECT / "tests"))
from fixtures.checkout import WITHOUT_CODE, make_checkout

HANDSHAKE = "55-45-17"


@pytest.fixture
def box(pytestconfig: pytest.Config, full: bool) -> Iterator[tuple[Control, Outcome]]:
    """The box with the reference services; as it was found afterwards."""
    if not full:
        pytest.skip("the long series runs with --full")
    yield from whole("box", pytestconfig)


def test_services_run_the_code_of_a_checkout(
    box: tuple[Control, Outcome], tmp_path: Path, figure: Figure
) -> None:
    control, first = box
    assert first.status == 0, first.end
    before = control.state()
    checkout = make_checkout(tmp_path / "platform", control.planned.catalogue)
    code = {"image_source": str(checkout), "release": "0.0.0-code"}

    built = control.converged(code)
    figure("box: every service rolled to code of its own", built.seconds)
    assert f"no code in {checkout} for {WITHOUT_CODE}" in built.output
    assert control.converged(code).changes == []
    names = [name for name, s in control.planned.catalogue.services.items() if s.source and name != WITHOUT_CODE]
    asked = {"port": control.planned.setting.router_port, "names": names, "handshake": HANDSHAKE}
    answers = control.ask(control.group("edge")[0], "own_code.py", asked)
    assert {name: answer for name, answer in answers.items() if answer != name} == {}

    back = control.converged()
    figure("box: back to the reference services", back.seconds)
    assert control.converged().changes == []
    assert differences(before, control.state()) == []
