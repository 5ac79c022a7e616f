"""Two hundred runs stopped at random moments on the local cloud.

    .venv/bin/python -m pytest -s tests/reliability/exhaustive_aborts.py

Not collected by `make test`: it takes about five minutes on two cores. The figures stand in
docs/reliability.md.
"""

import random
import time

import pytest

from tests.e2e.conftest import Deployment
from tests.reliability.aborts import abort_at_random

pytestmark = pytest.mark.e2e


def test_two_hundred_aborts_leave_nothing(cloud_app: Deployment) -> None:
    """No endpoint, configuration, job, nor model of a stopped run."""
    begun = time.monotonic()
    found = abort_at_random(cloud_app, 250, random.Random(11), at_once=6)  # noqa: S311
    print(f"\n{found.aborted} of 250 runs stopped in {time.monotonic() - begun:.0f} s")
    print(f"nothing left {found.seconds:.1f} s after the last; models left: {found.models}")
    for state, count in found.states.most_common():
        print(f"{count:5}  {state}")
    assert found.aborted >= 200
    assert cloud_app.left() == {}
    assert found.models == []
