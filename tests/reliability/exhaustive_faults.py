"""The pipeline once for every call it makes and every kind of fault, and how each run ended.

    .venv/bin/python -m pytest -s tests/reliability/exhaustive_faults.py

Not collected by `make test`: it takes about ten minutes on two cores. The figures stand in
docs/reliability.md.
"""

import time

import pytest

from localcloud.gateway import faults
from tests.e2e.conftest import Deployment
from tests.reliability.single_faults import bad, calls, cases, run_all, start, table

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


def test_a_creation_that_is_silent_for_longer_than_its_time_out(cloud_app: Deployment) -> None:
    """After 60 s the state gives up, asks again, and the run succeeds."""
    wanted = {
        "service": "sagemaker",
        "operation": "CreateModel",
        "nth": 1,
        "fault": "hang",
        "containing": "silent-x",
    }
    faults.post(cloud_app.cloud, {"faults": [wanted]})
    try:
        described = cloud_app.ended(start(cloud_app, "silent-x"), 200)
    finally:
        faults.post(cloud_app.cloud, {})
    assert described["status"] == "SUCCEEDED", described
    assert "Create the model again?" in cloud_app.states(described["executionArn"])
    assert cloud_app.left() == {}
