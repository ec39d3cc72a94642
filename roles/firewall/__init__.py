"""The firewall of each host: what no role declares in its flows.py does not arrive.

A run opens ports before it changes anything else, and closes those that are no longer declared after all else: members
that leave a cluster, and clients that still use an old port, reach each other until the run has moved them. A run of
one layer opens ports as well, and leaves closing to deploys/firewall.py.
"""

from functools import cache

from pyinfra import context
from pyinfra.api.deploy import deploy

from nexus.run.converge import converge
from nexus.run.run import Run, current_run
from roles.firewall.trial import confirm, open_first


def open_ports(new_hosts: bool = False) -> None:
    """What is planned arrives from now on, and what arrived before still does; once a run at each host.

    A host without rules gets them only with `new_hosts`: they would close what this run knows nothing of.
    """
    opened = _opened(current_run())
    name = context.host.name  # this package has a `host` of its own
    if name not in opened:
        opened.add(name)
        _open_ports(new_hosts)


@cache
def _opened(run: Run) -> set[str]:
    return set()


@deploy("Open the firewall")
def _open_ports(new_hosts: bool) -> None:
    confirm(open_first(new_hosts))


@deploy("Firewall")
def firewall() -> None:
    """The planned rules are in force, and no others; they stay only if a new connection is possible with them."""
    confirm(converge("firewall"))
