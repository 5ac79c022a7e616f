"""What all output to a terminal shares: signs, durations, times, steps and problems."""

import pytest

from spine import view


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (59.96, "1m 00s"), (185, "3m 05s"), (7800, "2h 10m")],
)
def test_durations_read_as_people_say_them(seconds: float, words: str) -> None:
    """Tenths of seconds below a minute, whole seconds below an hour, minutes above."""
    assert view.duration(seconds) == words
