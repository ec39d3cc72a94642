"""Building the images of a release from the sources at hand: those of NEXUS_SOURCE, or the reference service."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from roles.image.plan import BUILDING, LIBRARIES
from roles.image.plan import plan as image_plan
from roles.kit.error import OperatorError
from roles.registry.plan import registry_host
from roles.release.situation import IMAGES, Situation
from roles.runbook import Act, carry_out


def act_of(situation: Situation, names: Sequence[str], release: str) -> Act:
    """The act that builds the images of these services."""
    host = registry_host(situation.env)
    if host is None:
        raise OperatorError("images are built on an ops host, and the group ops is empty: name one in the inventory")

    def build() -> None:
        context = work(situation, names)
        carry_out(situation.run, host.name, f"build {len(names)} images", IMAGES, context, (*LIBRARIES, *BUILDING))

    return Act(f"Build the images of {', '.join(names)} at release {release}", build, host.name)


def work(situation: Situation, names: Sequence[str]) -> dict[str, Any]:
    """What the registry's host needs: the role's own plan, less what is not of these services."""
    host = registry_host(situation.env)
    assert host is not None
    desired = image_plan(situation.env, host)
    (state,) = desired.states
    items = {f"image {name}": dict(state.items[f"image {name}"]) for name in names}
    return {
        "items": items,
        "image": dict(state.context),
        "payload": dict(state.payload),
        "files": {file.path: base64.b64encode(file.data).decode() for file in desired.files},
    }
