"""Rules of the kernel's packet filter, as iptables-save writes them. Runs on a host."""

from collections.abc import Sequence

from nexus.agent.lib import once, run

Rules = Sequence[tuple[str, str]]  # (table, rule)


def rules(fresh: bool = False) -> Rules:
    """All IPv4 rules: read once for all questions of this probe or, if `fresh`, read now."""
    found: Rules = _read() if fresh else once(_read, "iptables-save")
    return found


def _read() -> Rules:
    return parsed(run(["iptables-save"]))


def parsed(text: str) -> Rules:
    """Rules with their tables, without chains and counters."""
    found, table = [], ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith("-A "):
            found.append((table, line))
    return found
