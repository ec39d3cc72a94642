"""The output of a build as a front end is served: inline scripts in files of their own, files with hashes apart."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nexus.error import OperatorError

INDEX = "index.html"
MANIFESTS = (".vite/manifest.json", "manifest.json")  # of Vite from 5 on, and of Vite 4
SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script\s*>", re.IGNORECASE | re.DOTALL)
TYPE = re.compile(r"""\btype\s*=\s*["']?([^\s"'>]+)""", re.IGNORECASE)
RUNS = ("module", "text/javascript", "application/javascript")  # types of scripts; others are data
LISTED = ("file", "css", "assets")  # fields of an entry of the manifest that name files


def served(folder: Path, where: str, base: str, assets: str) -> tuple[dict[str, bytes], set[str]]:
    """The files to serve below `base`, by path, and those of them whose names have a hash.

    OperatorError if there is no index.html, or a file with a hash is not below `assets`.
    """
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    hashed = _hashed(files)
    if INDEX not in files:
        raise OperatorError(f"{where} has no {INDEX} after its build, so there is nothing to show: fix its build")
    if wrong := sorted(path for path in hashed if not path.startswith(f"{assets}/")):
        raise OperatorError(
            f"{where} builds {wrong[0]}, which is not below {assets}/: set `assets` of its pages in "
            "group_data/catalogue/modules.yaml to the folder of files with hashes"
        )
    for path in [path for path in files if path.endswith(".html")]:
        files[path], scripts = apart(files[path].decode(errors="surrogateescape"), base, assets)
        files |= scripts
        hashed |= set(scripts)
    return files, hashed


def apart(html: str, base: str, assets: str) -> tuple[bytes, dict[str, bytes]]:
    """The page without inline scripts, and a file for each of them: the policy allows only files."""
    scripts: dict[str, bytes] = {}

    def replaced(found: re.Match[str]) -> str:
        attributes, text = found[1], found[2]
        kind = TYPE.search(attributes)
        is_data = kind is not None and kind[1].lower() not in RUNS
        if not text.strip() or is_data or re.search(r"\bsrc\s*=", attributes, re.IGNORECASE):
            return found[0]
        data = text.encode(errors="surrogateescape")
        name = f"{assets}/inline-{hashlib.sha256(data).hexdigest()[:8]}.js"
        scripts[name] = data
        return f'<script{attributes} src="{base}{name}"></script>'

    return SCRIPT.sub(replaced, html).encode(errors="surrogateescape"), scripts


def _hashed(files: dict[str, bytes]) -> set[str]:
    """Files that the manifest of the build names; the manifest itself is not served."""
    for name in MANIFESTS:
        if name in files and (found := _entries(files[name])) is not None:
            del files[name]
            named = {path for entry in found.values() for key in LISTED for path in _paths(entry.get(key))}
            return named & files.keys()
    return set()


def _paths(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _entries(data: bytes) -> Mapping[str, Any] | None:
    """The entries of a manifest of a build; None for other files of that name, such as a web manifest."""
    try:
        found = json.loads(data)
    except ValueError:
        return None
    entries = isinstance(found, dict) and all(isinstance(each, dict) and "file" in each for each in found.values())
    return found if entries else None
