"""Who can read the secrets of an environment: age public keys with names, in a file next to the encrypted one."""

from pathlib import Path

import pyrage

from nexus.error import OperatorError


def recipients_file(secrets: Path) -> Path:
    """The recipients file of an encrypted file: lab.recipients next to lab.age."""
    return secrets.with_suffix(".recipients")


def read(path: Path) -> dict[str, str]:
    """{public key: name of its owner}; empty without a file, and then only the writer's key counts.

    A line is KEY NAME; # begins a comment. OperatorError names file and line of anything else.
    """
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{path} cannot be read: {error}") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        key, _, name = line.partition("#")[0].strip().partition(" ")
        if not key:
            continue
        where = f"{path}:{number}"
        if key in found:
            raise OperatorError(f"{where}: this key is already listed, as {found[key]}")
        parse(key, where)
        if not name.strip():
            raise OperatorError(f"{where}: write the owner's name after the key: {key[:12]}... NAME")
        found[key] = name.strip()
    if not found:
        raise OperatorError(f"{path} lists nobody: write a line `KEY NAME` for each person who may read the secrets")
    return found


def parse(key: str, where: str) -> pyrage.x25519.Recipient:
    """The recipient of a public key; OperatorError names its place."""
    try:
        return pyrage.x25519.Recipient.from_str(key)
    except pyrage.RecipientError as error:
        hint = " (this is a private key: never put it here)" if key.startswith("AGE-SECRET-KEY-") else ""
        shown = "it" if hint else f'"{key}"'
        raise OperatorError(f"{where}: {shown} is not an age public key: {error}{hint}") from None
