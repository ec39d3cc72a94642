"""Runs on a host: writes the metrics of one program into a file that node exporter reads.

    python3 -m roles.exporter.host.textfile NAME SECONDS MODULE [WORD...]

The file says how often it is written, so that Prometheus can tell an old one.
"""

import sys
from importlib import import_module

from nexus.agent.metrics import Sample, write

DIRECTORY = "/var/lib/prometheus/node-exporter"
INTERVAL = "nexus_textfile_interval_seconds"


def main(name: str, seconds: str, module: str, words: list[str]) -> None:
    """Ask the module and write the file; the old file stays if the module fails."""
    path = f"{DIRECTORY}/{name}.prom"
    found: list[Sample] = [*import_module(module).samples(words), (INTERVAL, {"file": path}, float(seconds))]
    write(path, found)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
