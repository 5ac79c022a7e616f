"""A hundred thousand runs that go wrong, in virtual time, and how long what they left stayed.

    .venv/bin/python -m pytest -s tests/reliability/exhaustive_virtual_time.py

Ten deployments of 10,000 runs, a seed each, as many at once as there are processors. A seed gives
the same story again, every run of it included: `SEEDS=9` tells one alone, `SEEDS=17-26` ten others.
Not collected by `make test`: a seed takes about two minutes. The figures stand in
docs/reliability.md.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import pytest

from tests.reliability.virtual import Story

RUNS = 10_000
HOUR = 3600.0

pytestmark = pytest.mark.process


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a story came to.

    Attributes:
        seed: The story's.
        endings: How many runs ended how.
        delays: Seconds from when each thing could be removed to its removal, by kind.
        left: What is still there, by kind.
        refused: How many runs could not be looked up at some time.
        taken_over: How many things persons took over, or built on or with what a run made.
        sweep_errors: How many sweeps failed in part.
    """

    seed: int
    endings: dict[str, int]
    delays: dict[str, list[float]]
    left: dict[str, list[str]]
    refused: int
    taken_over: int
    sweep_errors: int


def tell(seed: int) -> Told:
    """Live through the story of a seed."""
    story = Story(seed)
    for number in range(RUNS):
        story.start(number, 30.0 * number)
    story.clock.run(30.0 * RUNS + 12 * HOUR)
    world = story.world
    return Told(
        seed=seed,
        endings=story.endings,
        delays={kind: list(delays) for kind, delays in world.delays.items()},
        left=story.left(),
        refused=len(world.refused),
        taken_over=world.taken,
        sweep_errors=story.sweep_errors,
    )


def seeds() -> list[int]:
    """Those that `SEEDS` names: one, or the first and the last of several."""
    first, _, last = os.environ.get("SEEDS", "7-16").partition("-")
    return list(range(int(first), int(last or first) + 1))


def shown(stories: list[Told]) -> Iterator[str]:
    """The figures of all stories together."""
    endings = sum((Counter(each.endings) for each in stories), Counter())
    yield f"{len(stories) * RUNS} runs: {dict(endings)}"
    for kind in stories[0].delays:
        late = sorted(delay for each in stories for delay in each.delays[kind])
        at = {share: late[int(share * (len(late) - 1))] for share in (0.5, 0.9, 0.99, 1.0)}
        by_share = "  ".join(f"{share:.0%} {seconds:6.0f} s" for share, seconds in at.items())
        yield f"{kind:15} {len(late):6} removed   {by_share}"
    yield f"not to be looked up: {sum(each.refused for each in stories)} runs"
    yield f"taken over by persons: {sum(each.taken_over for each in stories)} things"
    yield f"sweeps that failed in part: {sum(each.sweep_errors for each in stories)}"


def test_a_hundred_thousand_runs_leave_nothing() -> None:
    """No endpoint, configuration or job; each gone within 20 minutes of when it could be."""
    begun = time.monotonic()
    stories = []
    with ProcessPoolExecutor() as pool:
        for each in pool.map(tell, seeds()):
            stories.append(each)
            print(f"\nseed {each.seed}: {each.endings}; left: {each.left}", end="", flush=True)
    print()
    print(*shown(stories), f"in {time.monotonic() - begun:.0f} s", sep="\n")
    for each in stories:
        assert sum(each.endings.values()) == RUNS, each.seed
        assert each.left == {}, each.seed
        assert max(max(delays) for delays in each.delays.values()) < 20 * 60, each.seed
