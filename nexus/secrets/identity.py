"""The operator's own age key, with which secrets are read."""

from pathlib import Path

import pyrage

from nexus.error import OperatorError


def read(path: Path) -> pyrage.x25519.Identity:
    """The key in a file in age-keygen's format; OperatorError says what is wrong with it."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise OperatorError(
            f"the age key {path} is missing: set NEXUS_AGE_IDENTITY to the file with your key"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"the age key {path} cannot be read: {error}") from None
    lines = [line for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")]
    if len(lines) != 1:
        raise OperatorError(f"{path} must contain one line that begins with AGE-SECRET-KEY-")
    try:
        return pyrage.x25519.Identity.from_str(lines[0].strip())
    except pyrage.IdentityError as error:
        raise OperatorError(f"{path} does not contain a valid age key: {error}") from None


def make(path: Path) -> None:
    """Write a new key to a new file that nobody else can read."""
    identity = pyrage.x25519.Identity.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600, exist_ok=False)  # never over a key that is there
    path.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
