"""Functional checks of a service: requests, in order, that prove that it works, not only that it answers.

They are written for the shipped code; the reference service proves its stores by its readiness. In paths and bodies,
`{mark}` stands for a text that is new in each run and begins with "nexus-cos-check", and `{name}` for a value from an
earlier answer of the same check (`keep`).
"""

import re
from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from nexus.catalogue import types
from nexus.catalogue.gateway import Method

MARK = "mark"
PLACEHOLDER = re.compile(r"\{(\w+)\}")


class FunctionalRequest(types.Entry):
    """One request and the expected answer.

    `expect` maps fields of the answer, a dotted path such as decoded.userId or 0.id, to their values; `keep` maps
    names to fields that later requests use.
    """

    method: Method
    path: types.RequestPath
    status: types.Status
    body: dict[types.Text, JsonValue] | None = None
    expect: dict[types.Text, JsonValue] = Field(default_factory=dict)
    keep: dict[types.Text, types.Text] = Field(default_factory=dict)


class FunctionalCheck(types.Entry):
    """Requests in order. A check that `writes` leaves data behind, marked as ours, or changes state.

    `at` is where requests are sent: the edge, or the router for a service without a route. `known_failure` is the
    reason why the shipped code cannot pass: it is reported each time and does not fail the run.
    """

    name: types.Text
    writes: bool = False
    at: Literal["edge", "router"] = "edge"
    requests: types.Filled[FunctionalRequest]
    known_failure: types.Text | None = None

    @model_validator(mode="after")
    def _placeholders_are_known(self) -> Self:
        known = [MARK]
        for number, request in enumerate(self.requests):
            for name in PLACEHOLDER.findall(repr((request.path, request.body, request.expect))):
                if name not in known:
                    text = f"{{{name}}} is not known before this request; known: {{{'}, {'.join(known)}}}"
                    raise types.wrong(text, "requests", number, "path")
            known += request.keep
        return self
