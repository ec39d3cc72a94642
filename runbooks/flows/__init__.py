"""Who connects to whom: the flows of an environment as a table and as a page."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from nexus import project
from nexus.environment.environment import Environment
from nexus.environment.templates import templates
from nexus.run.flow import SOURCES, Entry, matrix
from nexus.workstation import write_whole
from roles.table import ROLES

HEADS = ("from", "to", "port", "role", "reason")


def lines(env: Environment) -> Iterator[str]:
    """The table, one line for each flow, and where the page is."""
    entries = matrix(env, ROLES)
    rows = [HEADS, *(_row(env, entry) for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS) - 1)]
    for row in rows:
        yield "  ".join([*(text.ljust(width) for text, width in zip(row[:-1], widths, strict=True)), row[-1]])
    path = project.root() / "reports" / f"flows-{env.name}.html"
    write_whole(path, page(env, entries))
    yield f"{env.name}: {len(entries)} flows; {path.relative_to(project.root())}"


def _row(env: Environment, entry: Entry) -> tuple[str, ...]:
    found = entry.flow
    targets = found.to if len(entry.targets) == len(env.group(found.to)) else ",".join(entry.targets)
    return found.source, targets, f"{found.protocol} {found.port}", entry.role, found.why


def page(env: Environment, entries: Iterable[Entry]) -> str:
    """A grid: sources down, groups of hosts across, ports in the cells with the reason as their title."""
    cells: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        port = f"{entry.flow.port}{'/udp' if entry.flow.protocol == 'udp' else ''}"
        reason = f"{entry.role}: {entry.flow.why}"
        if reason not in cells[entry.flow.source, entry.flow.to][port]:
            cells[entry.flow.source, entry.flow.to][port].append(reason)
    sources = list(dict.fromkeys(source for source, _ in sorted(cells, key=lambda pair: _place(pair[0]))))
    targets = sorted({target for _, target in cells}, key=_place)
    members = {name: [host.name for host in env.group(name)] for name in {*sources, *targets} - set(SOURCES)}
    jinja = templates(project.root() / "templates", html=True)
    return jinja.get_template("flows/page.html.j2").render(
        name=env.name, sources=sources, targets=targets, cells=cells, members=members, words=SOURCES
    )


def _place(name: str) -> tuple[int, str]:
    """Words before groups, each in its order."""
    return (list(SOURCES).index(name), "") if name in SOURCES else (len(SOURCES), name)
