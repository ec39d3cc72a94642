"""Builds that this machine keeps: a release is named by its content, and a key says which release a source became."""

import gzip
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nexus.cache import cache_directory
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.workstation import at_home, write_whole

RELEASE_CHARACTERS = 10
PACKED = (".html", ".js", ".mjs", ".css", ".svg", ".json", ".txt", ".xml", ".map", ".wasm", ".webmanifest")
PACKED_BYTES = 1024  # smaller files gain nothing


class Piece(NamedTuple):
    """One file of a build, in JSON a list. `pooled`: its name has a hash, so releases share it.

    `packed`: it is also sent compressed.
    """

    sha256: str
    size: int
    pooled: bool
    packed: bool

    @classmethod
    def of(cls, path: str, data: bytes, pooled: bool) -> "Piece":
        """The piece for this content."""
        packed = path.endswith(PACKED) and len(data) >= PACKED_BYTES
        return cls(hashlib.sha256(data).hexdigest(), len(data), pooled, packed)


@dataclass(frozen=True)
class Build:
    """A release of a front end: its files by path, and the folder that has them."""

    release: str
    pieces: Mapping[str, Piece]
    folder: Path

    def blob(self, path: str) -> bytes:
        """A file as it is sent: compressed if it is packed; OperatorError if this machine lost it."""
        packed = self.pieces[path].packed
        try:
            return (self.folder / "files" / f"{path}{'.gz' if packed else ''}").read_bytes()
        except OSError as error:
            raise OperatorError(f"{self.folder} is not whole ({error}): remove it and rerun, to build again") from None


def directory(env: Environment) -> Path:
    """Where this machine keeps builds."""
    given = str(env.setting.frontend_build_directory)
    return at_home(given, "frontend_build_directory") if given else cache_directory() / "frontend"


def name_of(pieces: Mapping[str, Piece]) -> str:
    """The name of a release: the beginning of the hash of its files."""
    lines = [f"{path}\0{piece.sha256}\0{piece.pooled}" for path, piece in sorted(pieces.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:RELEASE_CHARACTERS]


def keep(env: Environment, key: str, files: Mapping[str, bytes], pooled: Iterable[str]) -> Build:
    """Keep a build under the key of its source. `pooled` are the paths whose names have a hash."""
    shared = frozenset(pooled)
    pieces = {path: Piece.of(path, data, path in shared) for path, data in files.items()}
    home, release = directory(env), name_of(pieces)
    target = home / "builds" / release
    if not (target / "index.json").exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
        for path, data in files.items():
            place = work / "files" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            if pieces[path].packed:
                place.with_name(f"{place.name}.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        (work / "index.json").write_text(json.dumps(pieces, indent=1, sort_keys=True))
        os.sync()
        shutil.rmtree(target, ignore_errors=True)  # not whole, left by a run that was killed
        work.rename(target)
    write_whole(home / "keys" / key, release)
    return Build(release, pieces, target)


def by_key(env: Environment, key: str) -> Build | None:
    """The build of a source; None if this machine does not have it."""
    try:
        release = (directory(env) / "keys" / key).read_text()
    except OSError:
        return None
    return by_release(env, release)


def by_release(env: Environment, release: str) -> Build | None:
    """A release by its name; None if this machine does not have it."""
    folder = directory(env) / "builds" / release
    try:
        listed: Mapping[str, Any] = json.loads((folder / "index.json").read_bytes())
    except (OSError, ValueError):
        return None
    return Build(release, {path: Piece(*about) for path, about in listed.items()}, folder)
