"""`python -m runbooks.handoff.verify ARCHIVE [signers=FILE]`: whether an archive is as its manifest says, to the byte.

The manifest is next to the archive, and so is its signature, if there is one. `signers` has lines `handoff PUBLIC-KEY`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from nexus.error import OperatorError
from runbooks.handoff import archive, signature

SUFFIXES = ("sample-manifest", "manifest")


def lines(path: Path, signers: Path | None) -> Iterator[str]:
    """What was verified; OperatorError lists what is wrong."""
    found = [path.with_name(f"{path.stem}-{suffix}.json") for suffix in SUFFIXES]
    manifest = next((each for each in found if each.is_file()), None)
    if manifest is None:
        raise OperatorError(f"{path}: its manifest is missing: {' or '.join(each.name for each in found)} next to it")
    count = archive.verify(path, manifest)
    signed = manifest.with_name(f"{manifest.name}.sig")
    if signed.is_file():
        yield signature.check(manifest, signed, signers)
        if not signers:
            yield "whose key this is was not checked: give signers=FILE"
    elif signers:
        raise OperatorError(f"{signed} is missing, and signers={signers} asks for a signature: get it with the archive")
    else:
        yield f"{manifest.name} is not signed"
    yield f"{path.name}: {count} files are as {manifest.name} says"


def main(words: list[str]) -> int:
    """Exit status."""
    signers = [word.removeprefix("signers=") for word in words[1:] if word.startswith("signers=")]
    if not words or len(words) > 2 or len(signers) != len(words) - 1:
        print("usage: python -m runbooks.handoff.verify ARCHIVE [signers=FILE]", file=sys.stderr)
        return 2
    try:
        print(*lines(Path(words[0]), Path(signers[0]) if signers else None), sep="\n")
    except OperatorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
