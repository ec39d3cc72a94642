"""What a host has for services, as the inventory states it or as the host itself answered."""

from dataclasses import dataclass

from nexus.environment.environment import Host


@dataclass(frozen=True)
class Machine:
    """Figures of one host, from `nproc`, /proc/meminfo and its device files."""

    name: str
    groups: frozenset[str]
    cpus: float
    memory_bytes: int
    gpus: int = 0
    devices: tuple[str, ...] = ()

    @property
    def gpu_count(self) -> int:
        """The stated number of GPUs, else the number of NVIDIA's device files (/dev/nvidia0)."""
        return self.gpus or sum(device.removeprefix("/dev/nvidia").isdigit() for device in self.devices)


def machine_of(host: Host) -> Machine | None:
    """Figures of a host: those of the inventory, else those that the probe found."""
    traits, stated = host.traits, host.setting
    if stated.capacity_cpus and stated.capacity_memory_bytes:
        figures = (stated.capacity_cpus, stated.capacity_memory_bytes, stated.capacity_gpus)
        return Machine(host.name, host.groups, *figures)
    if traits is None:
        return None
    return Machine(host.name, host.groups, traits.cpus, traits.memory_bytes, traits.gpus)
