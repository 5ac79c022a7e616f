"""A run stopped, failed or timed out in every state, and redriven from there.

    .venv/bin/python -m pytest -s tests/reliability/exhaustive_redrives.py

Not collected by `make test`: it takes some minutes on two cores. The figures stand in
docs/reliability.md.
"""

import time

import pytest

from tests.e2e.conftest import Deployment
from tests.reliability import sweeps
from tests.reliability.redrives import cases, problems, redrive_all

pytestmark = pytest.mark.e2e


def test_every_run_goes_on_from_where_it_ended(cloud_app: Deployment) -> None:
    """SUCCEEDED, its model is there and nothing else, and what was done is not done again."""
    begun = time.monotonic()
    every = cases()
    found = redrive_all(cloud_app, every)
    for each in found:
        print(f"{each.before['status']:9} {each.after['status']:9} {each.case}")
    print(f"{len(every)} redrives in {time.monotonic() - begun:.0f} s")
    assert [problem for each in found for problem in problems(each)] == []
    assert cloud_app.left() == {} or all(
        "Keep the endpoint" in str(each.case) for each in found if each.left
    )


def test_a_redrive_in_the_middle_of_the_sweep_finds_no_name_taken(cloud_app: Deployment) -> None:
    """SUCCEEDED in the end, and nothing left; what the sweep takes meanwhile is made again."""
    begun = time.monotonic()
    every = sweeps.cases()
    found = sweeps.sweep_all(cloud_app, every)
    for each in found:
        print(f"{each.ended['status']:9} {len(each.causes)} more {each.met!s:5} {each.case}")
    print(f"{len(every)} redrives during sweeps in {time.monotonic() - begun:.0f} s")
    assert [problem for each in found for problem in each.problems()] == []
    assert sum(each.met for each in found) > len(found) / 2
