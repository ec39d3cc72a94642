"""Both bundles: the one of the contract with 23 files, and the full one with all pages and the project itself."""

import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

from nexus import project
from nexus.error import OperatorError
from runbooks.handoff import contract
from runbooks.handoff.link import within

NOT_IN_A_BUNDLE = (".venv", ".lab", ".cloud", "dist", "reports", ".git")  # of an unpacked bundle, which has no git


def of_contract(pages: Mapping[str, str]) -> dict[str, bytes]:
    """The files of the bundle, from the pages and from this repository; links within it lead to files within it.

    OperatorError names every file that is missing, empty or too many.
    """
    wanted = contract.bundle_files()
    found = {path: _file(path, pages) for path in wanted}
    wrong = [f"{path} is missing" for path, data in found.items() if data is None]
    wrong += [f"{path} is empty" for path, data in found.items() if data is not None and not data.strip()]
    wrong += [f"{path} is listed twice" for path in sorted({path for path in wanted if wanted.count(path) > 1})]
    if len(wanted) != contract.FILE_COUNT:
        wrong.append(f"{len(wanted)} files are listed instead of {contract.FILE_COUNT}")
    if wrong:
        raise OperatorError(f"{contract.PACKAGE} is not made: {'; '.join(wrong)}")
    return {path: within(path, data.decode(), wanted).encode() for path, data in found.items() if data is not None}


def _file(path: str, pages: Mapping[str, str]) -> bytes | None:
    if path in pages:
        return pages[path].encode()
    file = project.root() / path
    return file.read_bytes() if file.is_file() else None


def full(pages: Mapping[str, str], sources: Collection[str]) -> dict[str, bytes]:
    """All pages, and the project's own files at their paths; a page replaces a file with the same path."""
    files = {path: (project.root() / path).read_bytes() for path in sources}
    return {**files, **{path: text.encode() for path, text in pages.items()}}


def sources() -> list[str]:
    """Files of the project: those that git tracks; in an unpacked bundle all but what runs and deploys make there."""
    root = project.root()
    if (root / ".git").exists():
        done = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, timeout=30, check=True)
        paths = [Path(name) for name in done.stdout.decode().split("\0") if name]
    else:
        paths = [path.relative_to(root) for path in root.rglob("*")]
    kept = [path for path in paths if path.parts[0] not in NOT_IN_A_BUNDLE and "__pycache__" not in path.parts]
    return sorted(str(path) for path in kept if (root / path).is_file())
