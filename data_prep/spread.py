"""Several machines that share out work.

How they are reached is the business of whoever implements `Spread`; what they do is in
`bulk.leader`.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Hashes: TypeAlias = "NDArray[np.uint64]"
T = TypeVar("T")
R = TypeVar("R")


class Spread(Protocol):
    """Several machines that share out work.

    Attributes:
        machines: How many there are, or how many will read the shards, whichever is more.
    """

    @property
    def machines(self) -> int: ...  # noqa: D102 (described above)

    def put(self, number: int, data: bytes) -> None:
        """Put a block where every machine can read it."""

    def reader(self) -> Callable[[int], bytes]:
        """Return what reads a block by its number; it can be pickled."""

    def writer(self) -> Callable[[str, memoryview], None]:
        """Return what writes a file of the run by its path; it can be pickled."""

    def read_back(self, path: str) -> bytes:
        """Read what a machine has written."""

    def survey(
        self, function: Callable[[T], tuple[R, Hashes]], items: Sequence[T]
    ) -> tuple[list[R], int]:
        """Call a function on every item; return what it gives, in order, and repeated hashes.

        The hashes, eight bytes for each row, need not pass through the leader.
        """

    def each(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Call a function on every item; return what it gives, in order."""
