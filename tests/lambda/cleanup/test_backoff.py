"""Waiting is bounded, and its pauses grow."""

from spine.shipped import load

waiting = load("cleanup.backoff")


def test_the_pauses_grow_and_stay_within_the_limit() -> None:
    """Few calls for a long wait, and never longer than promised."""
    slept: list[float] = []
    backoff = waiting.Backoff(60, slept.append)
    while backoff.wait():
        pass
    assert slept == [1, 2, 4, 8, 15, 15, 15]
