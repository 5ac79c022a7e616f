"""A deployment of changed code in the middle of runs, in every state.

    .venv/bin/python -m pytest -s tests/reliability/exhaustive_deployments.py

Not collected by `make test`: it takes some ten minutes on two cores. The figures stand in
docs/reliability.md.
"""

import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Deployment
from tests.reliability import deployments
from tests.reliability.redrives import PLACES, cases, problems, redrive_all

pytestmark = pytest.mark.e2e


def test_runs_stopped_before_a_deployment_go_on_after_it(
    cloud_app: Deployment, tmp_path: Path
) -> None:
    """Failed or stopped in every state, redriven by what is deployed meanwhile: SUCCEEDED."""
    before, kept = deployments.code_of_functions(cloud_app), deployments.code_of_jobs(cloud_app)
    every = cases()
    other = deployments.changed(tmp_path, "redriven")
    begun = time.monotonic()
    found = redrive_all(cloud_app, every, meanwhile=lambda: deployments.deploy(cloud_app, other))
    for each in found:
        print(f"{each.before['status']:9} {each.after['status']:9} {each.case}")
    print(f"{len(every)} redrives after a deployment in {time.monotonic() - begun:.0f} s")
    assert [problem for each in found for problem in problems(each)] == []
    after, all_kept = deployments.code_of_functions(cloud_app), deployments.code_of_jobs(cloud_app)
    assert after.keys() == before.keys()
    assert not [name for name in after if after[name] == before[name]]
    assert len(all_kept) == len(kept) + 1
    # A run keeps to the code that its definition names, redriven as well.
    (former,) = [key for key, superseded in kept.items() if not superseded]
    assert all_kept[former]
    for each in found:
        assert deployments.code_of_job(cloud_app, each.after["executionArn"]) <= {former}


def test_runs_at_work_during_a_deployment_come_to_their_end(
    cloud_app: Deployment, tmp_path: Path
) -> None:
    """Held in every state while everything is replaced: SUCCEEDED, and nothing left."""
    states = [name for name, place in PLACES.items() if place.after is None]
    other = deployments.changed(tmp_path, "held")
    begun = time.monotonic()
    found = deployments.held_during(cloud_app, states, other)
    for each in found:
        print(f"{each.ended['status']:9} {each.state}")
    print(f"{len(states)} runs through a deployment in {time.monotonic() - begun:.0f} s")
    assert [problem for each in found if (problem := each.problem())] == []
