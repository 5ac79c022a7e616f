"""Ten thousand runs that go wrong, in virtual time, and how long what they left stayed.

    .venv/bin/python -m pytest -s tests/reliability/exhaustive_virtual_time.py

Not collected by `make test`: it takes some minutes. The figures stand in docs/reliability.md.
"""

import time

from tests.reliability.virtual import Story

RUNS = 10_000
HOUR = 3600.0


def test_ten_thousand_runs_leave_nothing() -> None:
    """No endpoint, configuration or job; each gone within 20 minutes of when it could be."""
    begun = time.monotonic()
    story = Story(7)
    for number in range(RUNS):
        story.start(number, 30.0 * number)
    story.clock.run(30.0 * RUNS + 12 * HOUR)
    print(f"\n{RUNS} runs in {time.monotonic() - begun:.0f} s: {story.endings}")
    for kind, delays in story.world.delays.items():
        late = sorted(delays)
        at = {share: late[int(share * (len(late) - 1))] for share in (0.5, 0.9, 0.99, 1.0)}
        shown = "  ".join(f"{share:.0%} {seconds:6.0f} s" for share, seconds in at.items())
        print(f"{kind:15} {len(late):6} removed   {shown}")
    world = story.world
    print(f"not to be looked up: {len(world.refused)};  taken over: {len(world.given_up)}")
    print(f"sweeps that failed in part: {story.sweep_errors};  left: {story.left()}")
    assert sum(story.endings.values()) == RUNS
    assert story.left() == {}
    assert max(max(each) for each in story.world.delays.values()) < 20 * 60
