"""A role's preflight is made as a run makes it: with a host whose traits are known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nexus.environment import inventory
from nexus.environment.environment import Traits
from roles.table import ROLES

ASKED = Traits(2, 24 * 1024**3, 1400, 0, "x86_64", {"memory": True, "cpu": True})


@pytest.mark.parametrize("name", ["lab", "box"])
def test_the_disk_of_the_registry_is_checked_and_no_other(name: str) -> None:
    env = inventory.load(name)
    checked = [host.name for host in env.hosts if ROLES.preflight("image", env, replace(host, traits=ASKED))]
    assert checked == [env.group("ops")[0].name]
