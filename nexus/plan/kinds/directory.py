"""A directory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nexus.plan.comparison import Answer, Pair, Place
from nexus.plan.kinds.path import AtPath, shown


@dataclass(frozen=True)
class Directory(AtPath, place=Place.DIRECTORIES, removable=True, plural="directories"):
    """A directory; missing parents are created with mode 0755, owned by root.

    If the path is a link to a directory, such as after data was moved to a larger disk, its target counts.
    """

    owner: str = "root"
    group: str = "root"
    mode: int = 0o755

    def present(self, answer: Answer) -> Any:
        found = super().present(answer)
        if found and found[0] == "link" and found[5] and found[5][0] == "directory":
            return [*found[5], None]
        return found

    def difference(self, present: Any) -> str | None:
        if present is None:
            return "is missing"
        kind, mode, owner, group = present[:4]
        if kind != "directory":
            return f"is a {kind}, should be a directory"
        if (mode, owner, group) == (self.mode, self.owner, self.group):
            return None
        return f"{mode:04o} {owner}:{group} -> {self.mode:04o} {self.owner}:{self.group}"

    def words(self, present: Any) -> Pair:
        return shown(present), shown(["directory", self.mode, self.owner, self.group, None])

    def obstacles(self, answer: Answer, host: str) -> Iterator[str]:
        found = super().present(answer)
        if found and found[0] not in ("directory", "link", "unreadable"):
            yield f"{self.path} is a {found[0]} but should be a directory: move it away, then rerun"
        if found and found[0] == "link" and (found[5] is None or found[5][0] != "directory"):
            leads = "does not exist" if found[5] is None else f"is a {found[5][0]}"
            yield (
                f"{self.path} should be a directory but is a link to {found[4]}, which {leads}: mount or "
                "create that directory, or remove the link, then rerun"
            )
