"""The fencing number with which this process may change hosts, from the environment's lock; none without the lock."""

from nexus.error import OperatorError


class Permit:
    """Given when the lock is taken, withdrawn when it is lost; every step carries it."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._lost = ""

    def give(self, number: int) -> None:
        """From now on steps carry this number."""
        self.number, self._lost = number, ""

    def withdraw(self, why: str) -> None:
        """From now on no step may begin."""
        self._lost = why

    def show(self) -> int | None:
        """The number for one step; OperatorError once the lock is lost."""
        if self._lost:
            raise OperatorError(f"this run can no longer change anything: {self._lost}. Rerun it")
        return self.number


permit = Permit()
