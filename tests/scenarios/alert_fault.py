"""A fault that makes an alert fire, set on a real host: what is done, how it is undone, and what the alert names."""

from __future__ import annotations

from dataclasses import dataclass

PRIMARY, REPLICA = "primary", "replica"
FAILED_UNIT = "nexus-test-failed"


@dataclass(frozen=True)
class AlertFault:
    """Commands for one host of `group`, as root.

    `about` is what the alert names: empty for that host, "-" for nothing, "*" for any host. Several faults may be of
    one alert: the first says what it names. Faults of one `batch` are set at the same
    time; those of batch 0 run in `make test`.
    """

    alert: str
    group: str
    begin: str
    undo: str
    number: int | str = 0  # of the host within its group; PRIMARY or REPLICA of PostgreSQL
    about: str = ""
    batch: int = 0
    seconds: float = 0  # by which it may come later, since a program measures so seldom or a rate looks back so far

    def concerns(self, host: str) -> str:
        """The host or service that the alert names; empty if it names none."""
        return {"": host, "-": ""}.get(self.about, self.about)


def stopped(
    alert: str, group: str, unit: str, number: int | str = 0, about: str = "", batch: int = 0, seconds: float = 0
) -> AlertFault:
    """A unit that does not run."""
    return AlertFault(alert, group, f"systemctl stop {unit}", f"systemctl start {unit}", number, about, batch, seconds)


def asks(script: str, number: int) -> str:
    """Commands on an edge host: that many requests to a path, whatever they are answered."""
    return f"for n in $(seq {number}); do curl -sk -m 5 -o /dev/null {script}; done"


def cut(port: int) -> str:
    """Commands that end connections of a host to this port of others."""
    return f"iptables -I OUTPUT ! -o lo -p tcp --dport {port} -j REJECT --reject-with tcp-reset"


def joined(port: int) -> str:
    """Commands that allow them again."""
    return cut(port).replace("-I", "-D")
