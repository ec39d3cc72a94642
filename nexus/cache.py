"""Where this user keeps what can be made again. Nothing in it is ever needed: files may be removed at any time."""

from __future__ import annotations

import os
from pathlib import Path


def cache_directory() -> Path:
    """This user's directory for it."""
    home = os.path.expanduser("~")
    own = f"{home}/.cache" if home != "~" else os.devnull  # below which nothing can be, where this user has no home
    return Path(os.environ.get("XDG_CACHE_HOME") or own) / "nexus-cos"
