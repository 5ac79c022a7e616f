"""The app with a second pipeline, as one more row of the table makes it: a program, as `app.py`."""

import runpy

from stacks.machine.composition import Pipeline, Steps
from stacks.pipelines import PIPELINES
from stacks.steps.clean_up import Cleaner, CleanUp
from stacks.steps.finish import Finish
from stacks.steps.plan import Plan
from stacks.steps.prepare import Prepare


def preparing(steps: Steps) -> Pipeline:
    """Prepares a file, and does nothing with it."""
    return Pipeline(
        comment="Spine: a training file in, prepared data out",
        steps=(
            steps(Plan),
            steps(Prepare),
            CleanUp(
                steps(Cleaner),
                comment="Stops jobs whose creation lost its answer",
                models="{% false %}",
            ),
            Finish(),
        ),
        after_failure=steps(Cleaner).after_failure,
    )


if __name__ == "__main__":
    PIPELINES["Preparing"] = preparing
    runpy.run_path("app.py", run_name="__main__")
