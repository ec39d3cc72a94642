"""Plots of the report: any value can be drawn, and numbers are readable."""

from __future__ import annotations

import re

import pytest

from runbooks.report.plot import svg
from runbooks.report.question import Line
from runbooks.report.unit import readable, scale


def test_a_plot_has_no_colours_of_its_own_and_is_always_the_same() -> None:
    lines = [Line(str(number), {}, [float(number), None, 3.0, 4.0]) for number in range(12)]
    for stacked in (False, True):
        made = svg(lines, "bytes", 1_790_000_000, 60, stacked)
        assert made == svg(lines, "bytes", 1_790_000_000, 60, stacked)
        assert re.findall(r"#[0-9a-f]{6}", made.replace("#ffffff", "")) == []
        assert {f"var(--line-{number})" for number in range(1, 11)} <= set(re.findall(r"var\([\w-]+\)", made))
        assert made.startswith('<svg class="plot"')


@pytest.mark.parametrize("unit", ["number", "ratio", "bytes", "seconds", "per second", "yes or no"])
@pytest.mark.parametrize("values", [[0.0, 0.0], [None, 5e12], [-3.0, 2.0], [1e-7, 1e-7], [None, None, 1.0]])
def test_any_value_can_be_drawn(unit: str, values: list[float | None]) -> None:
    assert "<svg" in svg([Line("x", {}, values)], unit, 1_790_000_000, 86400)


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (0.1234, "ratio", "12.3 %"),
        (1536, "bytes", "1.5 KiB"),
        (5 * 2**30, "bytes per second", "5 GiB/s"),
        (0, "seconds", "0 s"),
        (0.0021, "seconds", "2.1 ms"),
        (7200, "seconds", "2 h"),
        (1e-9, "seconds", "0.001 µs"),
        (12345, "number", "12.3 k"),
        (0.25, "per second", "0.25/s"),
        (-2048, "bytes", "-2 KiB"),
        (1, "yes or no", "yes"),
    ],
)
def test_numbers_are_readable(number: float, unit: str, text: str) -> None:
    assert readable(number, unit) == text


def test_marks_of_an_axis_are_whole_in_the_unit() -> None:
    assert [scale(3 * 2**20, "bytes"), scale(300, "seconds"), scale(0.5, "ratio"), scale(20_000, "number")] == [
        2.0**20, 60.0, 0.01, 1000.0,
    ]  # fmt: skip
