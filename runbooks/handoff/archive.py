"""Archives that are equal to the byte for equal contents, their manifests, and the check of an archive.

The manifest names each file with its checksum. `content_sha256`, over the sorted lines "SHA256  PATH", is the identity
of a bundle: other programs that make ZIP files write other bytes for the same files.
"""

import hashlib
import io
import json
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nexus.error import OperatorError
from runbooks.handoff.commit import Commit

Files = Mapping[str, bytes]
EXECUTABLE, PLAIN = 0o100755, 0o100644
EARLIEST = 315532800  # 1980-01-01: a ZIP file knows no time before


def sha256(data: bytes) -> str:
    """A checksum in upper case, as the contract of the bundle has it."""
    return hashlib.sha256(data).hexdigest().upper()


def archive(files: Files, epoch: int) -> bytes:
    """A ZIP file: entries in the order of their names, not compressed, all with the time `epoch` in UTC."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as made:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, time.gmtime(max(epoch, EARLIEST))[:6])
            entry.create_system = 3  # Unix, whatever this machine is
            entry.external_attr = (EXECUTABLE if files[path].startswith(b"#!") else PLAIN) << 16
            made.writestr(entry, files[path])
    return stream.getvalue()


def content(files: Files) -> str:
    """The identity of a bundle."""
    return sha256("".join(f"{sha256(files[path])}  {path}\n" for path in sorted(files)).encode())


def manifest(name: str, data: bytes, files: Files, commit: Commit, group: Callable[[str], str]) -> str:
    """The manifest of an archive with this file name; `group` gives the group of a path. Everything is counted."""
    about = {
        "path": name,
        "sha256": sha256(data),
        "size_bytes": len(data),
        "generated_at": commit.moment,
        "note": f"commit {commit.name}{', with uncommitted changes' if commit.dirty else ''}",
        "content_sha256": content(files),
        "file_count": len(files),
        "group_counts": dict(sorted(Counter(map(group, files)).items())),
        "files": [
            {"path": path, "sha256": sha256(files[path]), "size_bytes": len(files[path]), "group": group(path)}
            for path in sorted(files)
        ],
    }
    return json.dumps(about, indent=2) + "\n"


def verify(archive_path: Path, manifest_path: Path) -> int:
    """The number of files of an archive that is as its manifest says; OperatorError lists all that is not."""
    about = _about(manifest_path)
    try:
        data = archive_path.read_bytes()
    except OSError as error:
        raise OperatorError(f"{archive_path}: the archive cannot be read: {error.strerror}") from None
    wrong = _wrong(data, about)
    if wrong:
        lines = "\n".join(f"  {line}" for line in wrong)
        raise OperatorError(f"{archive_path} is not as {manifest_path.name} says; get both again:\n{lines}")
    return len(about["files"])


def _about(path: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads(path.read_text())
        _ = [(file["path"], file["sha256"]) for file in about["files"]], about["sha256"], about["content_sha256"]
    except OSError as error:
        raise OperatorError(f"{path}: the manifest cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise OperatorError(f"{path}: this is not the manifest of a bundle; get it again") from None
    return about


def _wrong(data: bytes, about: Mapping[str, Any]) -> list[str]:
    wrong = [] if sha256(data) == about["sha256"] else [f"the archive's checksum is {sha256(data)}"]
    if len(data) != about["size_bytes"]:
        wrong.append(f"the archive has {len(data)} bytes instead of {about['size_bytes']}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            files = {name: opened.read(name) for name in opened.namelist()}
    except Exception as error:  # zipfile raises many kinds for damaged archives
        return [*wrong, f"it cannot be opened: {error}"]
    planned = {file["path"]: file["sha256"] for file in about["files"]}
    wrong += [f"{path} is missing" for path in sorted(planned.keys() - files)]
    wrong += [f"{path} is not in the manifest" for path in sorted(files.keys() - planned)]
    wrong += [f"{path} is changed" for path in sorted(planned.keys() & files) if sha256(files[path]) != planned[path]]
    if not wrong and content(files) != about["content_sha256"]:
        wrong.append("the manifest's content_sha256 is not that of the files")
    return wrong
