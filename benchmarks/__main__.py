"""The benchmark from the command line.

    python -m benchmarks slice [--sizes 1,8 --cases noop --peers kit,ansible --links direct --rounds 1]
    python -m benchmarks table            the last series as Markdown
    python -m benchmarks down             its hosts away

A series that was ended goes on where it stood; `--fresh` begins another one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from benchmarks import hosts
from benchmarks.comparison import CASES, Choice, Comparison
from benchmarks.distance import LINKS
from benchmarks.result import RESULTS, Series
from benchmarks.table import markdown
from benchmarks.way import ways


def main() -> int:
    """Status 1 when a run did not do what it was for."""
    options = _parser().parse_args()
    if options.part == "down":
        hosts.down()
        return 0
    series = Series(RESULTS / "slice.json", fresh=options.part == "slice" and options.fresh)
    bad = []
    if options.part == "slice":
        choice = Choice(
            sizes=options.sizes,
            cases=options.cases,
            links=options.links,
            peers=options.peers,
            rounds=options.rounds,
            slow_rounds=options.slow_rounds,
            slow_sizes=options.slow_sizes,
        )
        bad = Comparison(choice, series).run()
    print(markdown(series))
    return 1 if bad else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="part", required=True)
    slice_ = parts.add_parser("slice", help="beside its peers")
    slice_.add_argument("--sizes", type=_several(int), default=(1, 4, 8, 20), help="hosts")
    slice_.add_argument("--cases", type=_several(_one_of(CASES)), default=CASES)
    slice_.add_argument("--links", type=_several(_one_of(LINKS)), default=LINKS)
    slice_.add_argument("--peers", type=_several(_one_of(tuple(ways()))), default=tuple(ways()))
    slice_.add_argument("--rounds", type=int, default=3)
    slice_.add_argument("--slow-rounds", type=int, default=1, help="of ways that take minutes")
    slice_.add_argument("--slow-sizes", type=_several(int), default=(1, 4, 8, 20), help="for those")
    slice_.add_argument("--fresh", action="store_true", help="begin a new series")
    parts.add_parser("table", help="the last series as Markdown")
    parts.add_parser("down", help="take the hosts away")
    return parser


def _several(one: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    return lambda text: tuple(one(word) for word in text.split(","))


def _one_of(known: tuple[str, ...]) -> Callable[[str], str]:
    def check(word: str) -> str:
        if word not in known:
            raise argparse.ArgumentTypeError(f"{word!r} is none of {', '.join(known)}")
        return word

    return check


if __name__ == "__main__":
    sys.exit(main())
