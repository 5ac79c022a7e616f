"""Waiting in growing pauses, for so long and no longer."""

import time
from collections.abc import Callable

_LONGEST_PAUSE = 15.0


class Backoff:
    """A bounded wait in growing pauses.

    Args:
        seconds: How long the pauses may last in all.
        sleep: What pauses, in tests what moves the virtual clock.
    """

    def __init__(self, seconds: float, sleep: Callable[[float], None] | None = None) -> None:
        self._left = seconds
        self._sleep = sleep or time.sleep
        self._pause = 1.0

    def wait(self) -> bool:
        """Pause and return True, or return False when the wait is used up."""
        if self._left <= 0:
            return False
        pause = min(self._pause, self._left)
        self._sleep(pause)
        self._left -= pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return True
