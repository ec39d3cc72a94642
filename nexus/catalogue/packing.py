"""Whether replicas find a place on hosts: sums alone can fit where no single host has room left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """What a host has left, or what a replica asks for."""

    name: str
    cpu_millicores: int
    memory_bytes: int
    gpus: int

    def holds(self, task: Room) -> bool:
        """Whether the task fits in."""
        return (
            task.cpu_millicores <= self.cpu_millicores
            and task.memory_bytes <= self.memory_bytes
            and task.gpus <= self.gpus
        )

    def less(self, task: Room) -> Room:
        """What is left beside the task."""
        return Room(
            self.name,
            self.cpu_millicores - task.cpu_millicores,
            self.memory_bytes - task.memory_bytes,
            self.gpus - task.gpus,
        )


def unplaced(tasks: Iterable[Room], rooms: Iterable[Room]) -> list[str]:
    """Names of tasks that find no room, the largest placed first, each where most memory is left.

    A good guess and no proof: Swarm places in another order, so what barely fits here may not there.
    """
    left = list(rooms)
    homeless: dict[str, None] = {}
    for task in sorted(tasks, key=lambda t: (-t.gpus, -t.memory_bytes, -t.cpu_millicores)):
        # hosts with GPUs last, so that they stay free for what needs one
        fitting = [number for number, room in enumerate(left) if room.holds(task)]
        if not fitting:
            homeless.setdefault(task.name)
            continue
        best = max(fitting, key=lambda n: (task.gpus > 0 or left[n].gpus == 0, left[n].memory_bytes))
        left[best] = left[best].less(task)
    return list(homeless)
