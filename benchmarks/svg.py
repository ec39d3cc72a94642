"""A small writer of line plots as SVG: panels next to each other, linear axes from zero, a legend."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 64, 44
COLOURS = ("#1f6feb", "#d1571a", "#2da44e")


@dataclass(frozen=True)
class Panel:
    """One plot: named lines of (x, y); `simulated` ones are dashed."""

    title: str
    across: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    simulated: bool = False


def draw(panels: Sequence[Panel]) -> str:
    """The whole picture."""
    width = WIDTH * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="11" fill="#24292f">',
        f'<rect width="{width}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({number * WIDTH} 0)">{_panel(panel)}</g>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel) -> str:
    points = [point for line in panel.lines.values() for point in line]
    most_x, most_y = _round_up(max(x for x, _ in points)), _round_up(max(y for _, y in points))
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + x / most_x * inner_width, TOP + (1 - y / most_y) * inner_height

    parts = [f'<text x="{LEFT}" y="18" font-size="13" font-weight="bold">{escape(panel.title)}</text>']
    for step in range(5):
        x, y = place(most_x * step / 4, most_y * step / 4)
        parts += [
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d8dee4"/>',
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{most_y * step / 4:g}</text>',
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{most_x * step / 4:g}</text>',
        ]
    middle = LEFT + inner_width / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{escape(panel.across)}</text>')
    for number, (name, line) in enumerate(panel.lines.items()):
        parts += _line(number, name, [place(*point) for point in line], line, panel.simulated)
    return "\n".join(parts)


def _line(
    number: int,
    name: str,
    placed: Sequence[tuple[float, float]],
    values: Sequence[tuple[float, float]],
    simulated: bool,
) -> list[str]:
    colour = COLOURS[number % len(COLOURS)]
    dash = ' stroke-dasharray="5 4"' if simulated else ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    column = LEFT + number * 118
    parts = [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>',
        f'<rect x="{column}" y="32" width="12" height="4" fill="{colour}"/>',
        f'<text x="{column + 17}" y="38">{escape(name)}</text>',
    ]
    for (x, y), (_, value) in zip(placed, values, strict=True):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{value:g}</title></circle>')
    return parts


def _round_up(value: float) -> float:
    """The next number that divides well by four."""
    if value <= 0:
        return 1
    unit = 10 ** math.floor(math.log10(value))
    return next(float(unit * step) for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if unit * step >= value)
