"""The benchmark from the command line; `make bench` runs `all`.

    python -m benchmarks slice [--sizes 1,8 --cases noop --peers kit,ansible --links direct --rounds 1]
    python -m benchmarks full [--cases noop,delay,service,nginx,verify,light,first]
    python -m benchmarks growth [--of services,simulated,hosts]
    python -m benchmarks edge             a request through the edge, a bare Nginx and HAProxy alone
    python -m benchmarks all              all four, without cases that take hours or renew the lab
    python -m benchmarks table            the last results as Markdown; `--write` puts them into the README
    python -m benchmarks down             take the light hosts down

An interrupted series of `slice` continues where it stopped; `--fresh` begins a new one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import edge, edge_lab, full, growth, hosts, platform_run
from benchmarks.comparison import CASES, Choice, Comparison
from benchmarks.distance import LINKS
from benchmarks.result import RESULTS, Series, describe, median
from benchmarks.table import markdown
from benchmarks.target import Figures
from benchmarks.way import ways

README = Path(__file__).with_name("README.md")
MARK = "<!-- measured -->"
GROWTH = {"services": growth.of_services, "simulated": growth.of_simulated_hosts, "hosts": growth.of_hosts}
# The part of the whole matrix that `all` measures: without the slow ways on many hosts, and without delay.
MODEST = ["--sizes", "1,8", "--cases", "noop,changed,first", "--slow-sizes", "1,8", "--rounds", "3"]


def main(words: list[str] | None = None) -> int:
    """Exit status; 1 if a run did not do its work."""
    options = _parser().parse_args(words)
    if options.part == "all":
        parts = (["slice", *MODEST, "--links", "direct"], ["full"], ["growth"], ["edge"], ["table", "--write"])
        return max([main(part) for part in parts])
    if options.part == "down":
        hosts.down()
        return 0
    return {"slice": _slice, "full": _full, "growth": _growth, "edge": _edge, "table": _table}[options.part](options)


def _slice(options: argparse.Namespace) -> int:
    series = Series(RESULTS / "slice.json", fresh=options.fresh)
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
    _factors(series)
    print(markdown(series))
    return 1 if bad else 0


def _factors(series: Series) -> None:
    """The factors that have a target."""
    figures = Figures(RESULTS / "full.json")
    ours = median(series.runs("noop", "direct", 8, "kit"), "wall")
    for name in ("ansible", "mitogen"):
        theirs = median(series.runs("noop", "direct", 8, name), "wall")
        if ours and theirs:
            figures.add(f"slice_{name}", theirs / ours, f"{theirs:.1f} s against {ours:.2f} s")


def _full(options: argparse.Namespace) -> int:
    figures, fleet, failed = Figures(RESULTS / "full.json"), platform_run.lab_fleet(), False
    for case in options.cases:
        try:
            full.CASES[case](figures, fleet)
        except full.Unexpected as error:
            print(error, file=sys.stderr)
            failed = True
    print(figures.markdown())
    return 1 if failed else 0


def _growth(options: argparse.Namespace) -> int:
    figures = Figures(RESULTS / "growth.json")
    for what in options.of:
        GROWTH[what](figures)
    growth.plot(figures)
    targets = Figures(RESULTS / "full.json")
    for name in ("plan_43", "plan_400"):
        if name in figures.figures:
            targets.add(name, figures.figures[name].value, figures.figures[name].note)
    return 0


def _edge(options: argparse.Namespace) -> int:
    figures = Figures(RESULTS / "edge.json")
    try:
        edge_lab.run(figures)
    except full.Unexpected as error:
        print(error, file=sys.stderr)
        return 1
    print(edge.markdown(figures))
    return 0


def _table(options: argparse.Namespace) -> int:
    parts = []
    if (RESULTS / "full.json").is_file():
        parts += ["## Against targets", Figures(RESULTS / "full.json").markdown()]
    if (RESULTS / "slice.json").is_file():
        parts += ["## Compared with its peers", markdown(Series(RESULTS / "slice.json"))]
    if (RESULTS / "edge.json").is_file():
        measured = Figures(RESULTS / "edge.json")
        parts += ["## A request through the edge", describe(measured.about), edge.markdown(measured)]
    if growth.PLOT.is_file():
        parts += ["## Growth", "![no-op against hosts and services](growth.svg)"]
    text = "\n\n".join(part.strip() for part in parts)
    print(text)
    if options.write:
        begin, _, rest = README.read_text().partition(MARK)
        _, _, end = rest.partition(MARK)
        README.write_text(f"{begin}{MARK}\n\n{text}\n\n{MARK}{end}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="part", required=True)
    slice_ = parts.add_parser("slice", help="compared with its peers")
    slice_.add_argument("--sizes", type=_several(int), default=(1, 4, 8, 20), help="hosts")
    slice_.add_argument("--cases", type=_several(_one_of(CASES)), default=CASES)
    slice_.add_argument("--links", type=_several(_one_of(LINKS)), default=LINKS)
    slice_.add_argument("--peers", type=_several(_one_of(tuple(ways()))), default=tuple(ways()))
    slice_.add_argument("--rounds", type=int, default=3)
    slice_.add_argument("--slow-rounds", type=int, default=1, help="rounds of ways that take minutes")
    slice_.add_argument(
        "--slow-sizes", type=_several(int), default=(1, 4, 8, 20), help="hosts for ways that take minutes"
    )
    slice_.add_argument("--fresh", action="store_true", help="begin a new series")
    full_ = parts.add_parser("full", help="full.py on the lab, against targets")
    full_.add_argument("--cases", type=_several(_one_of(tuple(full.CASES))), default=full.GENTLE)
    growth_ = parts.add_parser("growth", help="cost against the number of hosts and services")
    growth_.add_argument("--of", type=_several(_one_of(tuple(GROWTH))), default=tuple(GROWTH))
    parts.add_parser("edge", help="a request through our edge and its peers, on the lab")
    parts.add_parser("all", help="slice, full, growth and edge, in about an hour")
    table_ = parts.add_parser("table", help="the last results as Markdown")
    table_.add_argument("--write", action="store_true", help="write them into the README")
    parts.add_parser("down", help="take the light hosts down")
    return parser


def _several(one: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    return lambda text: tuple(one(word) for word in text.split(","))


def _one_of(known: tuple[str, ...]) -> Callable[[str], str]:
    def check(word: str) -> str:
        if word not in known:
            raise argparse.ArgumentTypeError(f"{word!r} is unknown; known: {', '.join(known)}")
        return word

    return check


if __name__ == "__main__":
    sys.exit(main())
