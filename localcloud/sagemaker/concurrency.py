"""A limit on what runs at once, in the order of asking, behind which nothing waits for ever."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class ConcurrencyLimit:
    """A limit on what runs at once: a semaphore that is fair and cannot deadlock.

    Whatever holds a slot may itself wait for something that has none yet (a function that calls
    another one, a job that starts a job). So the limit yields: when nobody has begun or ended for
    `stall_seconds`, the first who waits goes ahead beyond it. A burst of short work stays within
    the limit, and long work comes to run side by side one after the other.

    Args:
        limit: How many slots there are.
        stall_seconds: Seconds without a change after which one more may go ahead.
        clock: Monotonic seconds, for tests.
    """

    def __init__(
        self, limit: int, *, stall_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit = limit
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._last_change = clock()
        self.running = 0

    @contextmanager
    def slot(self, cancelled: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Waits for a slot and holds it; yields False when `cancelled` was true before it came.

        Args:
            cancelled: Whether the slot is no longer wanted; looked at whenever `wake` is called.
        """
        taken = self._take(cancelled)
        try:
            yield taken
        finally:
            if taken:
                self._release()

    def wake(self) -> None:
        """Has everybody who waits look whether the slot is still wanted."""
        with self._changed:
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._waiting)

    def _take(self, cancelled: Callable[[], bool]) -> bool:
        me = object()
        with self._changed:
            self._waiting.append(me)
            try:
                while not cancelled():
                    left = self._last_change + self._stall_seconds - self._clock()
                    first = self._waiting[0] is me
                    if first and (self.running < self.limit or left <= 0):
                        self.running += 1
                        self._last_change = self._clock()
                        return True
                    self._changed.wait(left if first else None)
                return False
            finally:
                self._waiting.remove(me)
                self._changed.notify_all()

    def _release(self) -> None:
        with self._changed:
            self.running -= 1
            self._last_change = self._clock()
            self._changed.notify_all()
