"""Taking turns: so much runs at once, the rest waits for its turn, and nothing waits for ever."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Turns:
    """A limit on what runs at once, in the order of asking.

    Whatever has its turn may itself wait for something that has none yet (a function that calls
    another one, a job that starts a job). So the limit yields: when nobody has begun or ended for
    `patience` seconds, the first who waits goes ahead beyond it. A burst of short work stays
    within the limit, and long work comes to run side by side one after the other.

    Args:
        limit: How many may have their turn at once.
        patience: Seconds without a change after which one more may.
        clock: Monotonic seconds, for tests.
    """

    def __init__(
        self, limit: int, *, patience: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit = limit
        self._patience = patience
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._moved = clock()
        self.running = 0

    @contextmanager
    def turn(self, cancelled: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Waits for a turn and holds it; yields False when `cancelled` was true before it came.

        Args:
            cancelled: Whether the turn is no longer wanted; looked at whenever `wake` is called.
        """
        taken = self._take(cancelled)
        try:
            yield taken
        finally:
            if taken:
                self._end()

    def wake(self) -> None:
        """Has everybody who waits look whether the turn is still wanted."""
        with self._changed:
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    def _take(self, cancelled: Callable[[], bool]) -> bool:
        me = object()
        with self._changed:
            self._waiting.append(me)
            try:
                while not cancelled():
                    patient = self._moved + self._patience - self._clock()
                    first = self._waiting[0] is me
                    if first and (self.running < self.limit or patient <= 0):
                        self.running += 1
                        self._moved = self._clock()
                        return True
                    self._changed.wait(patient if first else None)
                return False
            finally:
                self._waiting.remove(me)
                self._changed.notify_all()

    def _end(self) -> None:
        with self._changed:
            self.running -= 1
            self._moved = self._clock()
            self._changed.notify_all()
