"""Links of pages: those that lead nowhere, and pages whose links must stay within an archive."""

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)  # http:, mailto: and the like


def dead(pages: Mapping[str, str], others: Collection[str] = ()) -> list[str]:
    """ "PAGE: TARGET" for each link of a Markdown page to a file that is neither a page nor among `others`, or to a
    heading that its page does not have. `others` are files whose headings are not looked at.
    """
    known = {*pages, *others}
    folders = {str(folder) for path in known for folder in PurePosixPath(path).parents}
    found = []
    for path, text in pages.items():
        for target in targets(path, text):
            file, _, anchor = target.partition("#")
            there = file in known or file.rstrip("/") in folders
            if not there or (anchor and file in pages and anchor not in anchors(pages[file])):
                found.append(f"{path}: {target}")
    return found


def targets(path: str, text: str) -> Iterator[str]:
    """Files of the repository that a page links to, as PATH or PATH#ANCHOR; none if it is not Markdown."""
    if path.endswith(".md"):
        for _, _, target in LINK.findall(FENCE.sub("", text)):
            if not OUTSIDE.match(target):
                yield _resolved(path, target)


def _resolved(path: str, target: str) -> str:
    file, mark, anchor = target.partition("#")
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path
    return f"{whole}{mark}{anchor}"


def anchors(text: str) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    names = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        words = re.sub(r"[^\w\- ]", "", LINK.sub(r"\2", heading).strip().lower()).replace(" ", "-")
        count = found.get(words, 0)
        found[words] = count + 1
        names.add(f"{words}-{count}" if count else words)
    return names


def within(path: str, text: str, kept: Collection[str]) -> str:
    """A page whose links all lead to files in `kept`; of the others only the words and the path are left."""
    if not path.endswith(".md"):
        return text

    def kept_or_named(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        if OUTSIDE.match(target):
            return link[0]
        file = _resolved(path, target).partition("#")[0]
        if file in kept:
            return link[0]
        return f"`{file}` (picture, in the full bundle)" if picture else f"{words} (`{file}`, in the full bundle)"

    parts, at = [], 0
    for fence in FENCE.finditer(text):
        parts += [LINK.sub(kept_or_named, text[at : fence.start()]), fence[0]]
        at = fence.end()
    return "".join([*parts, LINK.sub(kept_or_named, text[at:])])
