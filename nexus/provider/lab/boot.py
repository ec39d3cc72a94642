"""Boots an environment's hosts, and waits until each is fully up."""

from collections.abc import Iterator, Sequence

from nexus.provider.lab.host import Host
from nexus.provider.lab.machine import LabError, Process, processes, say, wait_until

TOGETHER = 2  # hosts that boot at the same time: on two cores, more would only wait for each other


def start_missing(hosts: Sequence[Host]) -> bool:
    """Boot hosts that are not up, in pairs, and wait until all are fully up.

    The wait for their systems begins after the last start: daemons of a cluster wait at boot for other hosts.
    """
    table = processes()
    missing = [host for host in hosts if not _is_up(host, table)]
    for pair in _pairs(missing):
        for host in pair:
            _start(host)
        for host in pair:
            _wait_for_answer(host)
    for host in missing:
        _wait_for_system(host)
        say(f"lab: {host.name} is up at {host.address}")
    return bool(missing)


def _is_up(host: Host, table: Sequence[Process]) -> bool:
    alive = host.running(table)
    return alive is not None and alive.whole and host.answers()


def _pairs(hosts: Sequence[Host]) -> Iterator[Sequence[Host]]:
    for start in range(0, len(hosts), TOGETHER):
        yield hosts[start : start + TOGETHER]


def _start(host: Host) -> None:
    """Start a host. One that runs but does not answer may be booting: it gets time for that before it is killed."""
    alive = host.running()
    if alive and alive.whole and wait_until(host.answers, 30):
        return
    host.kill()
    host.start()


def _wait_for_answer(host: Host) -> None:
    seconds = float(host.environment.settings["lab_start_seconds"])
    wait_until(lambda: host.answers() or host.ended(), seconds, pause=0.1)
    if not host.answers():
        console = (host.directory / "console.log").read_text(errors="replace").splitlines()
        said = "\n".join(console[-15:])
        raise LabError(f"{host.name} does not answer at {host.address}; the end of its console:\n{said}")


def _wait_for_system(host: Host) -> None:
    state = ""

    def settled() -> bool:
        nonlocal state
        state = host.system_state()
        return state in ("running", "degraded")

    if not wait_until(settled, float(host.environment.settings["lab_start_seconds"]), pause=0.2):
        raise LabError(f"{host.name} answers, but its system is {state!r}: see `systemctl list-jobs` there")
