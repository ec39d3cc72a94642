"""A picture as data, boxes in columns and arrows between them, and its two forms: Mermaid and SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN, HEAD = 220, 26, 110, 10, 24, 26
STYLE = 'font-family="sans-serif" font-size="12" fill="#24292f"'
LONGEST = 30  # characters that fit into a box


@dataclass(frozen=True)
class Arrow:
    """From one box to another; `label` is shown in Mermaid, and as the title of the line in SVG."""

    source: str
    target: str
    label: str = ""
    dotted: bool = False


@dataclass(frozen=True)
class Graph:
    """`columns`: {heading: boxes}, from left to right. Arrows name boxes."""

    title: str
    columns: Mapping[str, Sequence[str]]
    arrows: Sequence[Arrow]


def mermaid(graph: Graph) -> str:
    """The picture as a Mermaid flowchart. Names are quoted, so that no word of them is Mermaid's own."""
    lines = ["flowchart LR"]
    every = [box for boxes in graph.columns.values() for box in boxes]
    known = {box: f"box{number}" for number, box in enumerate(every)}
    for number, (heading, boxes) in enumerate(graph.columns.items()):
        lines.append(f'  subgraph column{number}["{_quoted(heading)}"]')
        lines += [f'    {known[box]}["{_quoted(box)}"]' for box in boxes]
        lines.append("  end")
    for arrow in graph.arrows:
        line = "-.->" if arrow.dotted else "-->"
        label = f'|"{_quoted(arrow.label)}"|' if arrow.label else ""
        lines.append(f"  {known[arrow.source]} {line}{label} {known[arrow.target]}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")


def svg(graph: Graph) -> str:
    """The picture as SVG: boxes in columns, arrows as curves."""
    places = _places(graph)
    width = MARGIN * 2 + len(graph.columns) * (BOX_WIDTH + GAP_X) - GAP_X
    rows = max((len(boxes) for boxes in graph.columns.values()), default=0)
    height = MARGIN * 2 + 2 * HEAD + rows * (BOX_HEIGHT + GAP_Y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'{STYLE} role="img" aria-label="{escape(graph.title)}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="{MARGIN}" font-size="14" font-weight="bold">{escape(graph.title)}</text>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#6e7781"/></marker></defs>',
        *(_arrow(arrow, places) for arrow in graph.arrows),
    ]
    for number, (heading, boxes) in enumerate(graph.columns.items()):
        left = MARGIN + number * (BOX_WIDTH + GAP_X)
        parts.append(f'<text x="{left}" y="{MARGIN + HEAD}" font-weight="bold">{escape(heading)}</text>')
        parts += [_box(box, places[box]) for box in boxes]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _places(graph: Graph) -> dict[str, tuple[int, int]]:
    """{box: its left upper corner}."""
    return {
        box: (MARGIN + column * (BOX_WIDTH + GAP_X), MARGIN + 2 * HEAD - 10 + row * (BOX_HEIGHT + GAP_Y))
        for column, boxes in enumerate(graph.columns.values())
        for row, box in enumerate(boxes)
    }


def _box(name: str, place: tuple[int, int]) -> str:
    x, y = place
    shown = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    return (
        f'<g><title>{escape(name)}</title><rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5" '
        f'fill="#f6f8fa" stroke="#57606a"/><text x="{x + 8}" y="{y + 17}">{escape(shown)}</text></g>'
    )


def _arrow(arrow: Arrow, places: Mapping[str, tuple[int, int]]) -> str:
    (left, top), (other_left, other_top) = places[arrow.source], places[arrow.target]
    forward = other_left > left
    x, y = left + BOX_WIDTH * forward, top + BOX_HEIGHT / 2
    other_x, other_y = other_left + BOX_WIDTH * (not forward), other_top + BOX_HEIGHT / 2
    bend = GAP_X * (0.6 if forward else -0.6)
    last = bend
    if other_left == left:  # in the same column the curve goes around the boxes
        other_x, last = left, -bend
    dash = ' stroke-dasharray="4 3"' if arrow.dotted else ""
    title = escape(f"{arrow.source} to {arrow.target}{f': {arrow.label}' if arrow.label else ''}")
    curve = f"M{x:g} {y:g}C{x + bend:g} {y:g} {other_x - last:g} {other_y:g} {other_x:g} {other_y:g}"
    return f'<path d="{curve}" fill="none" stroke="#8c959f" marker-end="url(#tip)"{dash}><title>{title}</title></path>'
