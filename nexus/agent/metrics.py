"""Metrics that programs on this host leave in files for Prometheus, in its text format."""

from collections.abc import Iterable, Mapping

from nexus.agent.file import write_atomic

Sample = tuple[str, Mapping[str, str], float]  # name, labels, value


def write(path: str, samples: Iterable[Sample]) -> None:
    """Replace a file of metrics, which any account may read."""
    write_atomic(path, text(samples).encode(), 0o644)


def text(samples: Iterable[Sample]) -> str:
    """The file's content: samples of one name together, each name with its type."""
    by_name: dict[str, list[str]] = {}
    for name, labels, value in samples:
        named = ",".join(f'{key}="{_escaped(of)}"' for key, of in sorted(labels.items()))
        by_name.setdefault(name, [f"# TYPE {name} gauge"]).append(f"{name}{{{named}}} {value:.17g}")
    return "".join(f"{line}\n" for lines in by_name.values() for line in lines)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
