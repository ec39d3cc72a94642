"""Plots as SVG inside the page. Colours are variables of the page's style, so a plot is right in light and in dark.

Matplotlib, because its plots are part of the document: the page needs no script, prints, and is small. Libraries that
draw in the browser would add one to five megabytes of script to every page.
"""

import io
import re
import time
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from runbooks.report.question import Line
from runbooks.report.unit import readable, scale

SIZE = (6.4, 2.3)  # inches of 72 points; the page scales it
PLACE = (0.115, 0.1, 0.87, 0.87)  # of the axes in it: left, bottom, width, height
GRID, TEXT = "#f1f0f0", "#f1f0f1"  # stand for variables of the style
COLOURS = 10  # after that lines are dashed
DASHES = ("-", "--", ":", "-.")
STEPS = (
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10800,
    21600,
    43200,
    86400,
    7 * 86400,
    30 * 86400,
    60 * 86400,
)  # between times
STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "nexus-cos", "font.size": 8, "path.simplify": True}


def colour(number: int) -> int:
    """The number of the style's colour for a line."""
    return number % COLOURS + 1


def svg(lines: Sequence[Line], unit: str, start: int, step: int, stacked: bool = False) -> str:
    """The plot of these lines, as an element of HTML."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZE)
        axes = figure.add_axes(PLACE)
        times = [start + step * number for number in range(len(lines[0].values))]
        _draw(axes, lines, times, stacked)
        _frame(axes, lines, unit, times, stacked)
        stream = io.StringIO()
        figure.savefig(
            stream,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return _inline(stream.getvalue())


def _draw(axes: Axes, lines: Sequence[Line], times: list[int], stacked: bool) -> None:
    if stacked:
        heights = [[value or 0.0 for value in line.values] for line in lines]
        axes.stackplot(times, heights, colors=[_marker(number) for number in range(len(lines))], linewidth=0)
        return
    for number, line in enumerate(lines):
        values = [float("nan") if value is None else value for value in line.values]
        dash = DASHES[number // COLOURS % len(DASHES)]
        axes.plot(times, values, color=_marker(number), linewidth=1.4, linestyle=dash, solid_joinstyle="round")
        if points := _alone(line.values):
            axes.plot([times[at] for at in points], [values[at] for at in points], ".", color=_marker(number))
        if len(lines) == 1:
            axes.fill_between(times, values, color=_marker(number), alpha=0.12, linewidth=0)


def _alone(values: Sequence[float | None]) -> list[int]:
    """Places of values without a neighbour, which a line does not show."""
    padded = [None, *values, None]
    return [at for at, value in enumerate(values) if value is not None and padded[at] is padded[at + 2] is None]


def _frame(axes: Axes, lines: Sequence[Line], unit: str, times: list[int], stacked: bool) -> None:
    values = [value for line in lines for value in line.values if value is not None]
    high = sum(line.highest for line in lines) if stacked else max(values)
    marks = _marks(min(0.0, *values), high, unit)
    margin = (marks[-1] - marks[0]) * 0.04
    axes.set_ylim(min(marks[0], *values) - margin, max(marks[-1], high) + margin)
    axes.set_yticks(marks, [readable(mark, unit) for mark in marks])
    axes.set_xlim(times[0], times[-1])
    marked, form = _moments(times[0], times[-1])
    axes.set_xticks(marked, [time.strftime(form, time.localtime(moment)) for moment in marked])
    axes.grid(True, color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=TEXT, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _marks(low: float, high: float, unit: str) -> list[float]:
    """Round values between two, in the unit's own steps: powers of two for bytes, minutes and hours for seconds."""
    if unit == "yes or no":
        return [0.0, 1.0]
    high = high if high > low else low + 1.0
    size = scale(max(abs(low), abs(high)), unit)
    whole = unit == "number" and high >= 1
    found = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10], integer=whole).tick_values(low / size, high / size)
    return [float(mark) * size for mark in found]


def _moments(start: int, end: int) -> tuple[list[int], str]:
    """Whole minutes, hours or days between two times, at most eight, and the form in which to write them."""
    step = next((one for one in STEPS if (end - start) / one <= 8), STEPS[-1])
    shift = time.localtime(start).tm_gmtoff
    first = -(-(start + shift) // step) * step - shift
    form = "%H:%M" if end - start <= 86400 else "%a %H:%M" if step < 86400 else "%d %b"
    return list(range(first, end + 1, step)), form


def _marker(number: int) -> str:
    return f"#f0f0{colour(number):02x}"


def _inline(text: str) -> str:
    """The SVG without its head, without names that repeat in the document, and with the style's colours and font."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(r"#f0f0([0-9a-f]{2})", lambda found: f"var(--line-{int(found[1], 16)})", text)
    text = text.replace(GRID, "var(--line)").replace(TEXT, "var(--soft)")
    head = re.sub(r' (width|height)="[^"]*"', "", text[: text.index(">")])
    return head.replace("<svg", '<svg class="plot" role="img"', 1) + text[text.index(">") :]
