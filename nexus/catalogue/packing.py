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
    """Names of tasks that find no room, each once. The largest tasks are placed first.

    This is an estimate: a scheduler places in another order, so tasks that barely fit here may not fit there.
    """
    ordered = sorted(tasks, key=lambda task: (-task.gpus, -task.memory_bytes, -task.cpu_millicores))
    return list(dict.fromkeys(task.name for task in placed(ordered, rooms).homeless))


@dataclass(frozen=True)
class Placed:
    """Tasks by room, in the order of the rooms, what each room has left, and the tasks that find none."""

    tasks: list[list[Room]]
    left: list[Room]
    homeless: list[Room]


def placed(tasks: Iterable[Room], rooms: Iterable[Room]) -> Placed:
    """The tasks one by one in their order, each where most memory is left."""
    left = list(rooms)
    found = Placed([[] for _ in left], left, [])
    for task in tasks:
        # hosts with GPUs last, so that they stay free for tasks that need a GPU
        fitting = [number for number, room in enumerate(left) if room.holds(task)]
        if not fitting:
            found.homeless.append(task)
            continue
        best = max(fitting, key=lambda n: (task.gpus > 0 or left[n].gpus == 0, left[n].memory_bytes))
        left[best] = left[best].less(task)
        found.tasks[best].append(task)
    return found
