"""Any mistake in a file of the catalogue is refused with file, line and field, or can be planned for every host.

Needs no lab. Mistakes are drawn with --seed; a message names each failed one, and how to repeat it.
"""

from __future__ import annotations

import time
import traceback
from collections import Counter
from pathlib import Path

import pytest
from fuzz import PLANNED, REFUSED, Fuzz
from mutation import draw
from report import Figure


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.full)])
def test_every_mistake_is_refused_with_its_place_or_planned(
    count: int, tmp_path: Path, pytestconfig: pytest.Config, figure: Figure
) -> None:
    seed, fuzz, began = pytestconfig.getoption("--seed"), Fuzz(tmp_path), time.monotonic()
    outcomes, failed = Counter[str](), list[str]()
    for number in range(count):
        mutation = draw(seed, number)
        try:
            outcomes[fuzz.outcome(mutation)[0]] += 1
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            failed.append(f"{mutation}\n  {type(error).__name__}: {error} ({last.filename}:{last.lineno})")
    figure(f"{count} mistakes in the catalogue: refused", outcomes[REFUSED])
    figure(f"{count} mistakes in the catalogue: planned", outcomes[PLANNED])
    figure(f"{count} mistakes in the catalogue: seconds", time.monotonic() - began)
    assert not failed, "\n".join([f"alone: PYTHONPATH=. python tests/scenarios/fuzz.py {seed} NUMBER", *failed])
    assert outcomes[REFUSED] > outcomes[PLANNED] > 0  # otherwise nothing was tested


def test_the_same_seed_draws_the_same_mistakes() -> None:
    assert [draw(7, number) for number in range(50)] == [draw(7, number) for number in range(50)]
    assert len({draw(7, number).what for number in range(50)}) > 40
