"""The catalogue of hardening: which measures there are, which a host has, and which were taken back."""

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError, nearest
from roles.hardening import accounts, kernel, scan, ssh, system
from roles.hardening.measure import Measure, TakenBack

MEASURES = {one.name: one for part in (ssh, kernel, accounts, system, scan) for one in part.MEASURES}


def measures(env: Environment, host: Host) -> list[Measure]:
    """Measures in force on a host, in the order of the catalogue."""
    without = {taken.measure.name for taken in taken_back(host)}
    return [one for one in MEASURES.values() if one.name not in without and one.applies(env, host)]


def taken_back(host: Host) -> list[TakenBack]:
    """Measures that the host's `hardening_except` takes back; OperatorError for a name that is not a measure."""
    return [_taken_back(host, entry) for entry in host.setting.hardening_except]


def _taken_back(host: Host, entry: object) -> TakenBack:
    name, _, why = str(entry).partition(":")
    if name.strip() not in MEASURES:
        raise OperatorError(
            f'{host.name}: hardening_except has "{name.strip()}", which is not a measure{nearest(name, MEASURES)}\n'
            f"Measures: {', '.join(MEASURES)}. hardening_except is set in group_data/ or the inventory"
        )
    return TakenBack(host.name, MEASURES[name.strip()], why.strip())
