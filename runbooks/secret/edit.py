"""`python -m runbooks.secret.edit ENV`: the secrets of an environment in $EDITOR, checked and encrypted again."""

import os
import shlex
import sys
from pathlib import Path

from nexus.cli.command import command
from nexus.environment import inventory
from nexus.error import OperatorError
from nexus.secrets.editor import edit
from runbooks.secret.fill import tell_moves

# These options stop editors from keeping copies elsewhere.
QUIET = ("-n", "-i", "NONE", "--cmd", "set nobackup noundofile")
VI = ("vi", "vim", "nvim", "vim.basic", "vim.tiny")


def lines(name: str) -> list[str]:
    """Let an operator edit the secrets of an environment; return what changed."""
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    env = inventory.load(name)
    try:
        changed = edit(env.secrets, env.name, [*editor, *(QUIET if Path(editor[0]).name in VI else ())])
    except FileNotFoundError:
        raise OperatorError(f"{editor[0]} was not found: set EDITOR to your editor") from None
    tell_moves(env)
    end = "was written" if env.secrets.save(readdress=True) else "is unchanged"
    return [*(f"changed {secret}" for secret in changed), f"{env.secrets.path} {end}"]


if __name__ == "__main__":
    sys.exit(command("runbooks.secret.edit", lines, sys.argv[1:]))
