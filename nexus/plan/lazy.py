"""Values that are computed on access: a run without changes needs none of them."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


class Lazy(Mapping[str, T]):
    """Values by name, each computed by its function on every access."""

    def __init__(self, made: Mapping[str, Callable[[], T]]) -> None:
        self._made = made

    def __getitem__(self, name: str) -> T:
        return self._made[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)
