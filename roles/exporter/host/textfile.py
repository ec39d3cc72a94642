"""Runs on a host: writes the metrics of one program into a file that node exporter reads.

    python3 -m roles.exporter.host.textfile NAME SECONDS MODULE [WORD...]

The file says how often it is written, so that Prometheus can tell an old one.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module

DIRECTORY = "/var/lib/prometheus/node-exporter"
INTERVAL = "nexus_textfile_interval_seconds"

Sample = tuple[str, Mapping[str, str], float]


def main(name: str, seconds: str, module: str, words: list[str]) -> None:
    """Ask the module and write the file; the old file stays if the module fails."""
    path = f"{DIRECTORY}/{name}.prom"
    found: list[Sample] = [*import_module(module).samples(words), (INTERVAL, {"file": path}, float(seconds))]
    with open(f"{path}.new", "w", encoding="utf-8") as target:
        target.write(text(found))
    os.chmod(f"{path}.new", 0o644)
    os.rename(f"{path}.new", path)


def text(samples: Iterable[Sample]) -> str:
    """The file's content: samples of one name together, each name with its type."""
    by_name: dict[str, list[str]] = {}
    for name, labels, value in samples:
        named = ",".join(f'{key}="{_escaped(of)}"' for key, of in sorted(labels.items()))
        by_name.setdefault(name, [f"# TYPE {name} gauge"]).append(f"{name}{{{named}}} {value:.17g}")
    return "".join(f"{line}\n" for lines in by_name.values() for line in lines)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
