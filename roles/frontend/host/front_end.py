"""Front ends on an edge host: the files of releases, and which release each shows.

    PATH/current            link to releases/RELEASE
    PATH/releases/RELEASE   the pages of a release
    PATH/releases/RELEASE.json  {file: [sha256, size, pooled, packed]}, written when all files are there
    PATH/assets/...         files whose names have a hash, of all releases
    PATH/history.json       [[release, since], ...], newest first

The time of a file is made from its content, so that all edge hosts name it alike (ETag) and a changed file is found.
"""

import base64
import contextlib
import gzip
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nexus.agent.file import MARK, put_link, read_json
from nexus.agent.lib import RemoteError, listing

Pieces = Mapping[str, Any]  # {file: [sha256, size, pooled, packed]}


def probe(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """{path: {"whole": releases, "assets": their shared files}} of front ends that have releases here."""
    return {path: look(path) for path in names if os.path.isdir(f"{path}/releases")}


def look(path: str) -> dict[str, Any]:
    """Releases with all their files, and the shared files that are as they should be."""
    whole, assets = [], set()
    for release in releases(path):
        pieces = read_json(f"{path}/releases/{release}.json")
        good = {name for name in pieces if is_whole(path, release, name, pieces[name])}
        assets |= {name for name in good if pieces[name][2]}
        if len(good) == len(pieces) > 0:
            whole.append(release)
    return {"whole": whole, "assets": sorted(assets)}


def releases(path: str) -> list[str]:
    """Releases that were delivered here, by name."""
    return [name[:-5] for name in listing(f"{path}/releases") if name.endswith(".json") and not name.startswith(MARK)]


def is_whole(path: str, release: str, name: str, piece: Any) -> bool:
    """Whether a file is there with the size and time that its content gives."""
    place = place_of(path, release, name, piece)
    with contextlib.suppress(OSError):
        found = os.stat(place)
        packed = not piece[3] or os.stat(f"{place}.gz").st_mtime == time_of(piece[0])
        return packed and found.st_size == piece[1] and found.st_mtime == time_of(piece[0])
    return False


def place_of(path: str, release: str, name: str, piece: Any) -> str:
    """Where a file of a release is."""
    return f"{path}/{name}" if piece[2] else f"{path}/releases/{release}/{name}"


def time_of(sha256: str) -> int:
    """The time of a file with this content: a moment in the past that only the content decides."""
    return int(sha256[:7], 16)


def step(request: Mapping[str, Any]) -> None:
    """Write the files that are missing, and record each release once all of its files are there."""
    for item in request["items"]:
        path, release, pieces = item["path"], item["release"], item["files"]
        for name, piece in pieces.items():
            if not is_whole(path, release, name, piece):
                _write(place_of(path, release, name, piece), piece, request["blobs"])
    os.sync()  # before a record says that they are there
    for item in request["items"]:
        text = json.dumps(item["files"], sort_keys=True).encode()
        _put(f"{item['path']}/releases/{item['release']}.json", text, None)


def _write(place: str, piece: Any, blobs: Mapping[str, str]) -> None:
    sha256, _, _, packed = piece
    if sha256 not in blobs:
        raise RemoteError(f"{place} changed on this host while it was compared: rerun")
    data = base64.b64decode(blobs[sha256])
    if packed:
        _put(f"{place}.gz", data, time_of(sha256))
        data = gzip.decompress(data)
    _put(place, data, time_of(sha256))


def _put(place: str, data: bytes, moment: int | None) -> None:
    """Write a file next to its place, then rename it."""
    os.makedirs(os.path.dirname(place), exist_ok=True)
    fresh = f"{os.path.dirname(place)}/{MARK}{os.getpid()}-{os.path.basename(place)}"
    with open(fresh, "wb") as stream:
        stream.write(data)
    os.chmod(fresh, 0o644)
    if moment is not None:
        os.utime(fresh, (moment, moment))
    os.rename(fresh, place)


def remove(path: str) -> None:
    """Remove a front end with all its releases."""
    shutil.rmtree(path, ignore_errors=True)


def current(path: str) -> str:
    """The release that is shown; empty if none is."""
    try:
        return os.path.basename(os.readlink(f"{path}/current"))
    except OSError:
        return ""


def switch(path: str, release: str, now: float) -> None:
    """Show a release that is here: one rename. RemoteError if its files are not all here."""
    if release not in look(path)["whole"]:
        raise RemoteError(f"{path}: release {release} is not on this host with all its files: rerun deploys/edge.py")
    record = history(path)
    if not record or record[0][0] != release:  # first: a run that is killed in between is repeated
        _put(f"{path}/history.json", json.dumps([[release, now], *record][:1000]).encode(), None)
    put_link(f"releases/{release}", f"{path}/current")


def history(path: str) -> list[Any]:
    """[[release, since], ...], newest first."""
    return list(read_json(f"{path}/history.json"))


def prune(path: str, keep: int, seconds: float, now: float) -> None:
    """Remove releases beyond the last `keep` that were replaced longer than `seconds` ago, with files only they had."""
    stays = {current(path), *_last(history(path), keep, now - seconds)}
    gone = [name for name in releases(path) if name not in stays and _older(path, name, now - seconds)]
    for release in gone:
        os.unlink(f"{path}/releases/{release}.json")
        shutil.rmtree(f"{path}/releases/{release}", ignore_errors=True)
    if not gone:
        return
    used = set()
    for release in releases(path):
        pieces = read_json(f"{path}/releases/{release}.json")
        used |= {f"{path}/{name}" for name, piece in pieces.items() if piece[2]}
    for place in _pool(path):
        if place.removesuffix(".gz") not in used:
            os.unlink(place)


def _last(record: list[Any], keep: int, since: float) -> set[str]:
    """Releases that stay: the last `keep`, and those that were shown after `since`."""
    found: list[str] = []
    ended = float("inf")
    for release, began in record:
        if (len(found) < keep or ended > since) and release not in found:
            found.append(release)
        ended = began
    return set(found)


def _older(path: str, release: str, than: float) -> bool:
    """Whether a release was delivered before that moment: one that was not shown yet may be about to."""
    with contextlib.suppress(OSError):
        return os.stat(f"{path}/releases/{release}.json").st_mtime < than
    return False


def _pool(path: str) -> Iterator[str]:
    """All shared files of a front end, whatever the folder is called."""
    for name in listing(path):
        if name not in ("releases", "current") and os.path.isdir(f"{path}/{name}"):
            for folder, _, files in os.walk(f"{path}/{name}"):
                yield from (f"{folder}/{file}" for file in files)
