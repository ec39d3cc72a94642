"""Nothing is planned that is not checked. Runs last."""

from __future__ import annotations

import pytest

from hosts.fleet import Fleet


def test_every_planned_item_is_checked(fleet: Fleet, request: pytest.FixtureRequest) -> None:
    report = request.config.pluginmanager.get_plugin("nexus-cos-report")
    assert report
    if report.deselected or _only_a_part(request):
        pytest.skip("only a part of the checks was chosen")
    missing = report.missing()
    kinds = sorted({f"{item.host}: {item.kind} {item.name}" for item in missing})
    assert not missing, f"{len(missing)} planned items were not checked, such as {'; '.join(kinds[:5])}"


def _only_a_part(request: pytest.FixtureRequest) -> bool:
    """Whether files or single checks were named on the command line."""
    return any(".py" in argument or "::" in argument for argument in request.config.args)
