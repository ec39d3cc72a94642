"""The files of a front end on an edge host: those of the planned release, and of releases before it.

A release is delivered by this kind and shown by the state in host/state.py, once every edge host has its files.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nexus.plan.comparison import Differences, Pair, Place, Step
from nexus.plan.item import Item
from roles.frontend.build import Build


@dataclass(frozen=True)
class FrontEnd(Item, place=Place.FILES, removable=True, kind="front end", plural="front_ends"):
    """The files of a front end below `path`. None for `build`: this machine does not have it, so what is there stays.

    Only files that a host lacks are sent, each once for all front ends, and compressed where that is useful.
    """

    path: str
    build: Build | None = field(repr=False)

    def difference(self, present: Any) -> str | None:
        if self.build is None or (present and self.build.release in present["whole"]):
            return None
        return f"release {self.build.release} is missing, {len(self._missing(present))} files to send"

    def words(self, present: Any) -> Pair:
        wanted = self.build.release if self.build else ""
        there = bool(present) and (not wanted or wanted in present["whole"])
        return f"has release {wanted}".rstrip() if there else "", f"has release {wanted}".rstrip()

    def _missing(self, present: Any) -> list[str]:
        """The files of the release that the host does not have."""
        assert self.build is not None
        known = present["assets"] if present else ()
        return [path for path, piece in self.build.pieces.items() if not (piece.pooled and path in known)]

    def request(self, present: Any) -> Step:
        assert self.build is not None
        build, missing = self.build, self._missing(present)
        blobs = {build.pieces[path].sha256: base64.b64encode(build.blob(path)).decode() for path in missing}
        return {"path": self.path, "release": build.release, "files": dict(build.pieces), "blobs": blobs}

    @classmethod
    def steps(cls, requests: Sequence[Step], found: Differences) -> Sequence[Step]:
        """One step; a file that several front ends have is sent once."""
        blobs = {name: data for request in requests for name, data in request.pop("blobs").items()}
        return [{**step, "blobs": blobs} for step in super().steps(requests, found)]
