"""Limits of concurrency: what may run at once, and what keeps them from waiting for ever."""

import threading
import time
from functools import partial

from localcloud.sagemaker.concurrency import ConcurrencyLimit
from tests.localcloud.sagemaker.cloud import until

LONG = 3600.0


def hold(
    limit: ConcurrencyLimit, order: list[int], number: int, over: threading.Event
) -> threading.Thread:
    """A thread that takes a slot, notes its number and keeps the slot until told."""

    def work() -> None:
        with limit.slot() as taken:
            assert taken
            order.append(number)
            over.wait()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_no_more_than_the_limit_run_at_once_and_in_their_order() -> None:
    """Whoever asked first comes first, and only when somebody has ended."""
    limit, order = ConcurrencyLimit(2, stall_seconds=LONG), list[int]()
    overs = [threading.Event() for _ in range(4)]
    threads = []
    for number, over in enumerate(overs):
        threads.append(hold(limit, order, number, over))
        until(partial(lambda number: limit.running + limit.waiting == number + 1, number))
    assert sorted(order) == [0, 1]
    overs[0].set()
    until(lambda: len(order) == 3)
    assert order[2] == 2
    assert (limit.running, limit.waiting) == (2, 1)
    for over in overs:
        over.set()
    for thread in threads:
        thread.join(5)
    assert order[3] == 3
    assert (limit.running, limit.waiting) == (0, 0)


def test_work_that_waits_for_other_work_does_not_keep_it_out() -> None:
    """When nothing has moved for a while one more goes ahead: no cycle of waiting can be closed."""
    limit = ConcurrencyLimit(1, stall_seconds=0.05)

    def nested(depth: int) -> int:
        with limit.slot():
            if depth == 0:
                return 0
            found: list[int] = []
            inner = threading.Thread(target=lambda: found.append(nested(depth - 1)))
            inner.start()
            inner.join(10)
            return found[0] + 1

    assert nested(3) == 3


def test_a_turn_that_is_no_longer_wanted_is_given_up_at_once() -> None:
    """Cancelling wakes who waits, without a slot, and lets the next one be first."""
    limit, stopped = ConcurrencyLimit(1, stall_seconds=LONG), threading.Event()
    taken: list[bool] = []

    def wait() -> None:
        with limit.slot(stopped.is_set) as mine:
            taken.append(mine)

    with limit.slot():
        waiting = threading.Thread(target=wait)
        waiting.start()
        until(lambda: limit.waiting == 1)
        began = time.monotonic()
        stopped.set()
        limit.wake()
        waiting.join(5)
        assert time.monotonic() - began < 2
    assert taken == [False]
    assert (limit.running, limit.waiting) == (0, 0)
