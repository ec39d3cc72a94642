"""The commit that pages are made from: its hash and its time, which is the only clock of pages and archives."""

import os
import subprocess
import time
from dataclasses import dataclass

from nexus import project
from nexus.error import OperatorError
from nexus.workstation import MANIFEST, bundle, checkout


@dataclass(frozen=True)
class Commit:
    """A commit; `dirty` if the checkout has changes that it does not have. `epoch` is in seconds since 1970."""

    name: str
    epoch: int
    dirty: bool = False

    @property
    def moment(self) -> str:
        """The time of the commit in UTC, ISO 8601 with seconds."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.epoch))


def commit() -> Commit:
    """The commit of this checkout, or of the bundle that was unpacked here.

    SOURCE_DATE_EPOCH replaces its time. OperatorError if neither git nor deployment-manifest.json knows the commit.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch and not epoch.isdecimal():
        raise OperatorError(f"SOURCE_DATE_EPOCH={epoch} is not a number of seconds since 1970")
    found = _of_git() or _of_bundle()
    return Commit(found.name, int(epoch), found.dirty) if epoch else found


def _of_git() -> Commit | None:
    if not (project.root() / ".git").exists() or not (known := checkout())["commit"]:
        return None
    words = ["git", "show", "-s", "--format=%ct", known["commit"]]
    done = subprocess.run(words, cwd=project.root(), capture_output=True, text=True, timeout=10, check=True)
    return Commit(known["commit"], int(done.stdout), known["dirty"])


def _of_bundle() -> Commit:
    if known := bundle():
        return Commit(**known)
    raise OperatorError(
        f"{project.root()}: the commit is unknown, because neither git nor {MANIFEST} names it. "
        "Use a clone of the repository, or an unpacked full bundle"
    )
