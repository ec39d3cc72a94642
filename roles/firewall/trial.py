"""Trials of rules outside of the plan: the first one of a run, and the end of each by a new connection."""

from collections.abc import Iterator, Sequence
from typing import Any

from pyinfra.api.command import PyinfraCommand
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.operation import OperationMeta, operation
from pyinfra.context import host

from nexus import console
from nexus.plan.desired import Change
from nexus.pyinfra_patches import identity
from nexus.run.host_state import executing
from nexus.run.run import current_run
from nexus.transport.fencing_token import permit
from nexus.transport.host_client import HostClient
from nexus.transport.protocol import action
from roles.firewall.host.state import NONE, TRIAL, more_than
from roles.firewall.plan import SOURCE, context

RULES = "firewall"  # item of the plan


def confirm(tried: Sequence[OperationMeta]) -> None:
    """Confirm the rules of the current host if one of these operations has put them on trial."""
    run = current_run()
    if not run.nothing_to_do():
        run.journaled.add(identity(_confirm(tried, name="Confirm the firewall")))


@operation()
def _confirm(tried: Sequence[OperationMeta]) -> Iterator[PyinfraCommand]:
    if not (executing() and any(each.did_change() for each in tried)):
        return
    if any(change.what == RULES for change in current_run().outcome.changes[host.name]):
        yield _Confirmation()


def open_first(new_hosts: bool) -> list[OperationMeta]:
    """Let in what is planned at the current host, if its rules are about to change. Return the operation that does.

    A host that has no rules yet gets them with `new_hosts`.
    """
    run = current_run()
    if run.nothing_to_do():
        return []
    opening = _open_first(new_hosts, name="Open the firewall")
    run.journaled.add(identity(opening))
    return [opening]


@operation()
def _open_first(new_hosts: bool) -> Iterator[PyinfraCommand]:
    hosts, name = current_run().hosts, host.name
    if not (executing() and permit.number and hosts.host(name).setting.firewall_enabled):
        return  # a run without the lock changes nothing
    [planned] = hosts.plan(name, "firewall").states
    opened = more_than(planned.payload["stamp"])
    there = planned.present(hosts.answer(name))["items"].get(RULES, {}).get("rules")
    if there not in (planned.payload["stamp"], opened) and (new_hosts or there not in (None, NONE)):
        yield _Opening([change for change in hosts.compare(name, "firewall").changes if change.what == RULES])


class _Opening(PyinfraCommand):
    """The planned rules together with those in force, as a trial."""

    def __init__(self, changes: Sequence[Change]) -> None:
        super().__init__()
        self.changes = changes

    def __repr__(self) -> str:
        return "Opening"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Return whether the rules are on trial."""
        run = current_run()
        [planned] = run.hosts.plan(host.name, "firewall").states
        about = {**context(run.environment), **planned.payload}
        client = HostClient(host.name, state, connector_arguments)
        done = client.carry_out("open the firewall", action(SOURCE, "open_ports", about, alone=True))
        run.hosts.drop(host.name)
        for change in self.changes if done else ():
            console.detail(f"{host.print_prefix}firewall: change {change}")
            run.outcome.changes[host.name].append(change)
        return bool(done)


class _Confirmation(PyinfraCommand):
    """A new connection, as the next run will need it. The one that is open proves nothing: rules let it continue."""

    def __repr__(self) -> str:
        return "Confirmation"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Return whether the rules stay; the reason is printed if not."""
        client = HostClient(host.name, state, connector_arguments)
        if not current_run().hosts.host(host.name).setting.firewall_enabled:
            return True
        about = context(current_run().environment)
        if client.ask_source(SOURCE, ["firewall"], about).get("firewall", {}).get("rules") != TRIAL:
            return True
        try:
            again = type(host.connector)(state, host)
            again.connect()
            again.client.close()
        except ConnectError as error:
            seconds = current_run().environment.setting.firewall_confirm_seconds
            console.complain(
                f"    {host.name}: no new connection is possible with the new rules of the firewall, so the old ones "
                f"come back within {seconds} s: {error}"
            )
            return False
        return bool(client.carry_out("confirm the firewall", action(SOURCE, "confirm", about, alone=True)))
