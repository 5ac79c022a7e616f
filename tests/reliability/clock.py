"""Virtual time, and processes that live in it."""

import heapq
import threading
from collections.abc import Callable


class Clock:
    """Virtual seconds, and processes that sleep in them, one running at a time.

    A process is a thread only so that the real code may sleep in the middle of a call; the next
    one runs when it sleeps or ends, so the same seed gives the same story.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._parked = threading.Semaphore(0)
        self.failures: list[BaseException] = []

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something so many seconds from now."""
        self._number += 1
        heapq.heappush(self._due, (self.now + seconds, self._number, action))

    def spawn(self, seconds: float, process: Callable[[], None]) -> None:
        """Begin a process so many seconds from now."""

        def begin() -> None:
            def body() -> None:
                try:
                    process()
                except BaseException as error:  # noqa: BLE001 (told by run)
                    self.failures.append(error)
                finally:
                    self._parked.release()

            threading.Thread(target=body, daemon=True).start()
            self._parked.acquire()

        self.at(seconds, begin)

    def sleep(self, seconds: float) -> None:
        """Sleep, within a process."""
        awake = threading.Semaphore(0)

        def wake() -> None:
            awake.release()
            self._parked.acquire()

        self.at(seconds, wake)
        self._parked.release()
        awake.acquire()

    def run(self, until: float) -> None:
        """Let time pass until then; raise what a process did not expect."""
        while self._due and self._due[0][0] <= until:
            self.now, _, action = heapq.heappop(self._due)
            action()
            if self.failures:
                raise self.failures[0]
        self.now = until
