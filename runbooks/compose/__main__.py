"""`python -m runbooks.compose ENV`: write the files of Docker Compose, at the sizes of an environment.

The public files are below dist/compose, the secrets below the setting compose_directory. They are made once, are no
environment's, and stay on this machine.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from nexus import project
from nexus.cli.command import command
from nexus.environment.environment import Environment
from nexus.environment.inventory import load
from nexus.environment.settings import defaults
from nexus.workstation import write_whole
from runbooks.compose.render import Files, files
from runbooks.compose.store import servers

DIRECTORY = str(defaults()["compose_directory"])


def environment(name: str, directory: Path) -> Environment:
    """The environment with secrets of its own in this directory."""
    own = {"secrets_file": str(directory / "secrets.age"), "secrets_identity": str(directory / "age.key")}
    return load(name, {**own, "secrets_generate": True})


def lines(name: str) -> Iterator[str]:
    """Write the files and tell where they are."""
    root = project.root()
    directory = root / DIRECTORY
    env = environment(name, directory)
    found = files(env)
    env.secrets.save()
    changed = write(found, root / "dist/compose", directory / "files")
    there = {server.store for server in servers(env)}
    if absent := [store for store in env.catalogue.stores if store not in there]:
        yield f"stores absent there: {', '.join(absent)}; services that use them say so"
    yield f"{len(found.public)} files in dist/compose, {len(found.secret)} in {DIRECTORY}/files; {changed} changed"
    yield f"Next: dist/compose/start.sh {directory / 'files'}"


def write(found: Files, public: Path, secret: Path) -> int:
    """Write what differs; return the number of changed files. Containers can read secrets, others not the folder."""
    secret.mkdir(parents=True, exist_ok=True)
    secret.chmod(0o700)
    changed = 0
    for folder, contents in ((public, found.public), (secret, found.secret)):
        for name, content in contents.items():
            path = folder / name
            if not path.is_file() or path.read_bytes() != content:
                write_whole(path, content, 0o755 if name in found.programs else 0o644)
                changed += 1
    for path in (public / "images").glob("*.tar"):
        if f"images/{path.name}" not in found.public:
            path.unlink()
    return changed


if __name__ == "__main__":
    sys.exit(command("runbooks.compose", lines, sys.argv[1:]))
