"""Two hundred runs stopped at random moments on the local cloud.

    .venv/bin/python -m pytest -s tests/reliability/exhaustive_aborts.py

Not collected by `make test`: it takes about ten minutes on two cores. The figures stand in
docs/reliability.md.
"""

import random
import time
from collections import Counter

import pytest

from tests.e2e.conftest import Deployment
from tests.reliability.aborts import abort_at_random

pytestmark = pytest.mark.e2e


def test_two_hundred_aborts_leave_nothing(cloud_app: Deployment) -> None:
    """No endpoint, configuration, job, nor model of a stopped run."""
    begun = time.monotonic()
    chance = random.Random(11)  # noqa: S311 (not for secrets)
    started = aborted = 0
    states: Counter[str] = Counter()
    while aborted < 200:
        found = abort_at_random(cloud_app, 50, chance, at_once=6)
        started, aborted, states = started + 50, aborted + found.aborted, states + found.states
        seconds = time.monotonic() - begun
        print(f"\n{aborted} of {started} runs stopped in {seconds:.0f} s; nothing left", end="")
        print(f" {found.seconds:.1f} s after the last of these 50; models left: {found.models}")
        assert cloud_app.left() == {}
        assert found.models == []
    for state, count in states.most_common():
        print(f"{count:5}  {state}")
