"""Tasks and their metrics: every room has its part of each."""

from typing import Any

import pytest

from spine.shipped import load
from tests.evaluation import (
    CLASS_LABELS,
    LABELS,
    PREDICTED,
    SCORES,
    SHARES,
    TRUE,
    batch,
    evaluate,
    event,
    multiclass_event,
    regression_event,
)

tasks = load("common.tasks")
sections = load("plan.sections")

MEASURED: dict[str, tuple[Any, Any, Any]] = {
    "binary": (LABELS, SCORES, event),
    "multiclass": (CLASS_LABELS, SHARES, multiclass_event),
    "regression": (TRUE, PREDICTED, regression_event),
}


def test_every_task_is_evaluated() -> None:
    """Each has a row in the registry of evaluations, and an algorithm that is trained for it."""
    assert tuple(load("evaluate.tasks").EVALUATIONS) == tasks.TASKS
    default = load("algorithms").DEFAULT
    assert {known.task for known in default.objectives.values()} == set(tasks.TASKS)


@pytest.mark.parametrize("task", tasks.TASKS)
def test_every_metric_of_a_task_is_measured_and_no_other(
    monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    """What the gate may ask for is there to be held to it."""
    labels, answers, build = MEASURED[task]
    result, _ = evaluate(monkeypatch, labels, batch(answers), build())
    known = {name for name, metric in tasks.METRICS.items() if task in metric.tasks}
    assert known == set(tasks.METRICS) & result["metrics"].keys()


def test_the_execution_input_takes_every_metric_with_a_bound() -> None:
    """Those of `evaluation.minimum` and `evaluation.maximum`, and no others."""
    bounds: dict[str, Any] = {"minimum": sections.Minimum, "maximum": sections.Maximum}
    for bound, section in bounds.items():
        assert set(section.model_fields) == {
            name for name, metric in tasks.METRICS.items() if metric.bound == bound
        }


@pytest.mark.parametrize(
    ("task", "probabilities", "least", "most"),
    [
        ("binary", True, ("auc", "accuracy", "precision", "recall", "f1"), ()),
        (
            "multiclass",
            True,
            ("auc_ovr_macro", "accuracy", "precision_macro", "recall_macro", "f1_macro"),
            ("log_loss",),
        ),
        (
            "multiclass",
            False,
            ("accuracy", "precision_macro", "recall_macro", "f1_macro"),
            (),
        ),
        ("regression", True, ("r2",), ("rmse", "mae")),
    ],
)
def test_the_gate_may_ask_for_what_the_model_lets_be_measured(
    task: str, probabilities: bool, least: tuple[str, ...], most: tuple[str, ...]
) -> None:
    """Classes without probabilities have no AUC and no log loss."""
    assert tasks.gated(task, probabilities=probabilities) == (least, most)


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        ({"positive": "yes", "negative": "no"}, ("no", "yes")),
        ({"1": "b", "0": "a", "2": "c"}, ("a", "b", "c")),
        ({}, ("0", "1")),
        (None, ("0", "1")),
    ],
)
def test_class_names_stand_in_the_order_of_their_numbers(
    classes: dict[str, str] | None, names: tuple[str, ...]
) -> None:
    """Of two classes the negative one is 0."""
    assert tasks.class_names(classes) == names
