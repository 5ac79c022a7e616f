"""Each objective that a run offers trains, serves and transforms as the functions expect it to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spine.shipped import load
from tests.evaluation import cut
from tests.support import ROOT

pytestmark = pytest.mark.process

xgboost = load("algorithms").ALGORITHMS["xgboost"]
joining = load("evaluate.join")

Made = dict[str, dict[str, str]]
ROWS = 60
CLASSES = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What the container logged and answered, by objective."""
    done = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).with_name("every_objective.py")),
            str(tmp_path_factory.mktemp("jobs")),
        ],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: Made = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("objective", xgboost.objectives)
def test_every_objective_trains_with_every_metric_that_plan_takes(
    made: Made, objective: str
) -> None:
    """What plan lets through does not fail the job once it is paid for."""
    for metric in xgboost.objectives[objective].metrics:
        assert f"validation-{metric}:" in made[objective]["log"]


@pytest.mark.parametrize("objective", xgboost.objectives)
def test_every_way_of_answering_is_read_as_the_same_predictions(made: Made, objective: str) -> None:
    """Endpoints, batch transforms and older images write rows differently."""
    found = made[objective]
    form = xgboost.answer(objective, CLASSES if objective.startswith("multi:") else 2)
    for name in ("endpoint", "batch"):
        lines = found[name].splitlines()
        assert len(lines) == ROWS
        # As the container's source has it: a batch transform's line is Python's text of the row.
        assert all(line.startswith("[") for line in lines) == (
            name == "batch" and objective == "multi:softprob"
        )
    assert found["older"].count("\n") == 0
    test = "0,1,2\n" * ROWS
    one, *others = (
        joining.join(cut(test), cut(found[name]), form) for name in ("endpoint", "batch", "older")
    )
    for other in others:
        assert (one.labels == other.labels).all()
        assert (one.answers == other.answers).all()
