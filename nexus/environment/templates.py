"""How templates are read: an undefined name is an error, and compiled templates are cached."""

import os
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

from nexus.cache import cache_directory


def templates(directory: Path, html: bool = False) -> Environment:
    """The templates below a directory; with `html`, inserted values are escaped."""
    return Environment(
        loader=FileSystemLoader(directory),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=_compiled(),
    )


def _compiled() -> FileSystemBytecodeCache | None:
    """The cache of compiled templates, since compiling is half of all planning. None if nothing can be cached."""
    directory = cache_directory() / "templates"
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return FileSystemBytecodeCache(str(directory)) if os.access(directory, os.W_OK) else None
