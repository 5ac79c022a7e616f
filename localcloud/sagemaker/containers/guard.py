"""Ends a container when the process that started it has ended."""

import os
import signal
import threading


def install() -> None:
    """Watches standard input, which the starting process holds open as long as it lives.

    A pipe's end is noticed at once and on every platform; Linux's parent-death signal would fire
    when the starting *thread* ends, which for an endpoint is long before it should.
    """
    threading.Thread(target=watch, name="guard", daemon=True).start()


def watch() -> None:
    """Waits for the end of standard input, then ends the process group."""
    while os.read(0, 1024):
        pass
    # The container leads its own process group: whatever it started goes with it.
    os.killpg(os.getpgrp(), signal.SIGKILL)
