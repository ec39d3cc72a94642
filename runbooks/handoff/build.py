"""Makes the handoff: pages, both bundles, their manifests and signatures, all of it or nothing."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nexus import project
from nexus.error import OperatorError
from nexus.workstation import at_home
from runbooks.handoff import archive, bundle, contract, signature
from runbooks.handoff.handoff import Handoff
from runbooks.handoff.link import dead
from runbooks.handoff.page import PICTURES, pages

FOLDER = "handoff"  # below handoff_directory: the pages, at their paths in the repository


@dataclass(frozen=True)
class Made:
    """What was made: the number of pages, each archive with the number of its files, and the signatures."""

    directory: Path
    pages: int
    archives: Mapping[Path, int]
    signatures: tuple[Path, ...]

    def __str__(self) -> str:
        root = project.root()
        lines = [f"{self.directory.relative_to(root)}: {self.pages} files"]
        lines += [f"{path.relative_to(root)}: {count} files" for path, count in self.archives.items()]
        lines += [f"{path.relative_to(root)}" for path in self.signatures]
        if not self.signatures:
            lines.append("not signed: handoff_signing_key is empty")
        return "\n".join(lines)


def build(handoff: Handoff) -> Made:
    """Make everything. OperatorError before anything is written if a page is wrong or a bundle is not complete."""
    found = pages(handoff)
    sources = bundle.sources()
    if wrong := complaints(handoff, found, sources):
        raise OperatorError("the handoff is not made:\n" + "\n".join(f"  {line}" for line in wrong))
    bundles = {
        (contract.PACKAGE, "sample-manifest"): (bundle.of_contract(found), contract.group_of),
        (contract.FULL_PACKAGE, "manifest"): (bundle.full(found, sources), lambda path: path.partition("/")[0]),
    }
    directory = project.root() / str(handoff.env.setting.handoff_directory)
    fresh = directory / f".new-{os.getpid()}"
    try:
        _write(fresh / FOLDER, {path: text.encode() for path, text in found.items()})
        manifests = []
        for (name, suffix), (files, group) in bundles.items():
            data = archive.archive(files, handoff.commit.epoch)
            about = archive.manifest(f"{name}.zip", data, files, handoff.commit, group)
            manifests.append(fresh / f"{name}-{suffix}.json")
            _write(fresh, {f"{name}.zip": data, manifests[-1].name: about.encode()})
        signatures = _signed(handoff, manifests)
        _replace(directory, fresh, [f"{manifest.name}.sig" for manifest in manifests])
    except OSError as error:
        raise OperatorError(f"{directory} cannot be written: {error.filename}: {error.strerror}") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    archives = {directory / f"{name}.zip": len(files) for (name, _), (files, _) in bundles.items()}
    return Made(directory / FOLDER, len(found), archives, tuple(directory / path.name for path in signatures))


def complaints(handoff: Handoff, found: Mapping[str, str], sources: list[str]) -> list[str]:
    """What is wrong with the pages: files that the contract does not know or misses, empty ones, and dead links."""
    wanted = contract.tree(handoff.env)
    extra = (f"{contract.TREE}/deployment/", f"{PICTURES}/")
    wrong = [f"{path} is missing" for path in wanted if path not in found]
    wrong += [f"{path} is not in the contract" for path in found if path not in wanted and not path.startswith(extra)]
    wrong += [f"{path} is empty" for path, text in found.items() if not text.strip()]
    return wrong + [f"dead link: {link}" for link in dead(found, sources)]


def _write(directory: Path, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(data)


def _signed(handoff: Handoff, manifests: list[Path]) -> list[Path]:
    """The signatures of the manifests; none without a key."""
    key = str(handoff.env.setting.handoff_signing_key)
    path = project.root() / at_home(key, "handoff_signing_key")
    return [signature.sign(manifest, path) for manifest in manifests] if key else []


def _replace(directory: Path, fresh: Path, optional: list[str]) -> None:
    """Move everything in `fresh` to its place. What is optional and not there is removed: it would not be valid."""
    for name in optional:
        if not (fresh / name).exists():
            (directory / name).unlink(missing_ok=True)
    for made in sorted(fresh.iterdir()):
        place = directory / made.name
        if place.is_dir():
            place.rename(fresh / f"{made.name}.old")
        made.rename(place)
