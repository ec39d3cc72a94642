"""This user's cache directory. Nothing in it is ever needed: files may be removed at any time."""

import os
from pathlib import Path


def cache_directory() -> Path:
    """This user's cache directory."""
    home = os.path.expanduser("~")
    own = f"{home}/.cache" if home != "~" else os.devnull  # no file can be below it: this user has no home
    return Path(os.environ.get("XDG_CACHE_HOME") or own) / "nexus-cos"
