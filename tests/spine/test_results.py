"""What is shown of a finished run."""

import io
from typing import Any

import pytest
from rich.console import Console

from spine import results
from spine.shipped import load
from tests.spine import fakes

tasks = load("common.tasks")


def shown(output: dict[str, Any]) -> str:
    """What a person sees of a run's output."""
    target = Console(file=io.StringIO(), width=120)
    results.show(target, results.Result(output=output, name="r", seconds="1 s"))
    assert isinstance(target.file, io.StringIO)
    return target.file.getvalue()


@pytest.mark.parametrize("task", tasks.TASKS)
def test_every_metric_of_a_task_is_shown_by_its_name(task: str) -> None:
    """Shares to four decimals, errors in the label's unit to five digits."""
    measured = {name: metric for name, metric in tasks.METRICS.items() if task in metric.tasks}
    found = fakes.output()
    found["metrics"] = {"rows": 40, **dict.fromkeys(measured, 0.123416)}
    found["predictions"] = []
    text = shown(found)
    lines = [line for line in text.splitlines() if "0.1234" in line]
    assert len(lines) == len(measured)
    for line, metric in zip(lines, measured.values(), strict=True):
        assert metric.short in line
        assert ("0.12342" in line) == metric.in_units


def test_a_metric_that_could_not_be_computed_is_said_to_be_undefined() -> None:
    """It is no 0."""
    found = fakes.output()
    found["metrics"] = {**found["metrics"], "auc": None}
    assert "undefined" in shown(found)


def test_warnings_about_the_data_are_shown_with_what_to_do() -> None:
    """Each in full, below the rows it is about."""
    found = fakes.output()
    found["data"]["warnings"] = [
        {
            "name": "DuplicateRowsWarning",
            "message": "250 rows repeat one.",
            "remedy": "Remove them.",
        },
        {
            "name": "ConstantColumnWarning",
            "message": "column 'a' is the same.",
            "remedy": "Drop it.",
        },
    ]
    text = " ".join(shown(found).replace("│", " ").split())
    assert "Warnings 250 rows repeat one. Remove them." in text
    assert "column 'a' is the same. Drop it." in text
