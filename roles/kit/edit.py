"""`python -m roles.kit.edit ENV`: the secrets of an environment in $EDITOR, checked and encrypted again."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from roles.kit import inventories
from roles.kit.clear import edit
from roles.kit.error import OperatorError
from roles.kit.fill import tell_moves

# Editors that keep copies elsewhere are told not to.
QUIET = ("-n", "-i", "NONE", "--cmd", "set nobackup noundofile")
VI = ("vi", "vim", "nvim", "vim.basic", "vim.tiny")


def main(arguments: list[str]) -> int:
    """Exit status."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m roles.kit.edit ENV   (ENV is a file inventory/ENV.py)", file=sys.stderr)
        return 2
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        env = inventories.load(arguments[0])
        changed = edit(env.secrets, env.name, [*editor, *(QUIET if Path(editor[0]).name in VI else ())])
        tell_moves(env)
        written = env.secrets.save(readdress=True)
    except FileNotFoundError:
        print(f"error: {editor[0]} is not there: set EDITOR to your editor", file=sys.stderr)
        return 1
    except OperatorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    end = "is written" if written else "is as it was"
    print(*[f"changed {name}" for name in changed], f"{env.secrets.path} {end}", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
