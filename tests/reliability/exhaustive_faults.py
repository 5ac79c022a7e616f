"""The pipeline once for every call it makes and every kind of fault, and how each run ended.

    .venv/bin/python -m pytest -s tests/reliability/exhaustive_faults.py

Not collected by `make test`: it takes about ten minutes on two cores. The figures stand in
docs/reliability.md.
"""

import time

import pytest

from tests.e2e.conftest import Deployment
from tests.reliability.single_faults import bad, calls, cases, run_all, table

pytestmark = pytest.mark.e2e


def test_every_call_and_every_fault(cloud_app: Deployment) -> None:
    """Each run ends in a named state and leaves nothing."""
    wanted = list(cases(calls(cloud_app)))
    begun = time.monotonic()
    outcomes = run_all(cloud_app, wanted)
    seconds = time.monotonic() - begun
    good = sum(each.status == "SUCCEEDED" for each in outcomes)
    print(f"\n{table(outcomes)}")
    print(
        f"{len(outcomes)} runs in {seconds:.0f} s, {sum(each.hit for each in outcomes)} met their"
        f" fault: {good} SUCCEEDED, {len(outcomes) - good} FAILED"
    )
    for each in filter(bad, outcomes):
        print(each)
    assert [str(each) for each in outcomes if bad(each)] == []
    assert cloud_app.left() == {}
