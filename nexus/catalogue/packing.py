"""Whether replicas fit on hosts: totals can fit although no single host has enough room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """The resources that a host has left, or that a replica requests."""

    name: str
    cpu_millicores: int
    memory_bytes: int
    gpus: int

    def holds(self, task: Room) -> bool:
        """Whether the task fits."""
        return (
            task.cpu_millicores <= self.cpu_millicores
            and task.memory_bytes <= self.memory_bytes
            and task.gpus <= self.gpus
        )

    def less(self, task: Room) -> Room:
        """What is left after the task is placed."""
        return Room(
            self.name,
            self.cpu_millicores - task.cpu_millicores,
            self.memory_bytes - task.memory_bytes,
            self.gpus - task.gpus,
        )


def unplaced(tasks: Iterable[Room], rooms: Iterable[Room]) -> list[str]:
    """Names of tasks that find no room, each once."""
    return list(dict.fromkeys(waiting(tasks, rooms)))


def waiting(tasks: Iterable[Room], rooms: Iterable[Room]) -> list[str]:
    """Name of each task that finds no room, as often as there are such tasks.

    The largest tasks are placed first, each where most memory is left.
    This is an estimate: a scheduler places in another order, so tasks that barely fit here may not fit there.
    """
    left = list(rooms)
    homeless: list[str] = []
    for task in sorted(tasks, key=lambda t: (-t.gpus, -t.memory_bytes, -t.cpu_millicores)):
        # hosts with GPUs last, so that they stay free for tasks that need a GPU
        fitting = [number for number, room in enumerate(left) if room.holds(task)]
        if not fitting:
            homeless.append(task.name)
            continue
        best = max(fitting, key=lambda n: (task.gpus > 0 or left[n].gpus == 0, left[n].memory_bytes))
        left[best] = left[best].less(task)
    return homeless
