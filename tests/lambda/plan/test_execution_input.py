"""The execution input as a whole: what follows from the objective, and what contradicts it."""

import json
import re

import pytest

from spine.shipped import load
from tests.planning import at, plan, refused, says_one_problem, with_objective
from tests.support import ROOT

# (field, value, what the message must say besides the field)
REFUSALS: list[tuple[str, object, str]] = [
    ("evaluation.minimum.r2", 0.5, "takes auc, accuracy, precision, recall, f1"),
    ("evaluation.minimum.f1_macro", 0.5, "not measured"),
    ("evaluation.minimum.r2", 1.5, "at most 1"),
    ("evaluation.maximum.rmse", 3, "evaluation.maximum none"),
    ("evaluation.maximum.rmse", -1, "at least 0"),
    ("evaluation.maximum.rsme", 1, 'Did you mean "rmse"?'),
]


@pytest.mark.parametrize(("path", "value", "says"), REFUSALS)
def test_a_metric_that_is_not_measured_is_refused(path: str, value: object, says: str) -> None:
    """The message says which ones are, and what each may be."""
    says_one_problem(refused(at(path, value)), path, says)


@pytest.mark.parametrize(
    ("objective", "task", "metric"),
    [
        ("binary:logistic", "binary", "auc"),
        ("binary:logitraw", "binary", "auc"),
        ("multi:softprob", "multiclass", "mlogloss"),
        ("multi:softmax", "multiclass", "merror"),
        ("reg:squarederror", "regression", "rmse"),
        ("reg:squaredlogerror", "regression", "rmsle"),
        ("reg:absoluteerror", "regression", "mae"),
        ("reg:pseudohubererror", "regression", "mphe"),
        ("reg:logistic", "regression", "rmse"),
        ("reg:gamma", "regression", "gamma-nloglik"),
        ("reg:tweedie", "regression", "rmse"),
        ("count:poisson", "regression", "poisson-nloglik"),
    ],
)
def test_the_task_and_its_defaults_follow_the_objective(
    objective: str, task: str, metric: str
) -> None:
    """What tells two classes apart is planned for two classes only; given metrics stay."""
    planned = plan(with_objective(objective))
    assert planned["task"] == task
    assert planned["training"]["hyperparameters"]["eval_metric"] == metric
    binary = task == "binary"
    assert planned["source"]["positive"] == ("Abnormal" if binary else None)
    assert planned["evaluation"] == {
        "threshold": 0.65 if binary else None,
        "minimum": {"auc": 0.8} if binary else {},
        "maximum": {},
    }


def test_the_documented_inputs_are_accepted() -> None:
    """Each whole input shown in the document on data preparation is one that plan takes."""
    text = (ROOT / "docs" / "data-preparation.md").read_text(encoding="utf-8")
    shown = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert len(shown) >= 3
    tasks = {plan(json.loads(each.replace("BUCKET", "spine-bucket")))["task"] for each in shown}
    assert tasks == {"binary", "multiclass", "regression"}


@pytest.mark.parametrize(
    ("execution_input", "path", "says"),
    [
        (
            {"training": {"hyperparameters": {"eta": 0.1, "learning_rate": 0.2}}},
            "training.hyperparameters.learning_rate",
            "keep one of them",
        ),
        (
            {"training": {"hyperparameters": {"objective": "reg:gamma", "eval_metric": "auc"}}},
            "training.hyperparameters.eval_metric",
            'not available with the objective "reg:gamma". Give one or more of these',
        ),
        (
            {
                "training": {
                    "hyperparameters": {"objective": "multi:softmax", "eval_metric": "error"}
                }
            },
            "training.hyperparameters.eval_metric",
            "merror, mlogloss",
        ),
        (
            {"training": {"hyperparameters": {"objective": "count:poisson", "base_score": 0}}},
            "training.hyperparameters.base_score",
            "Give a number above 0.",
        ),
        (with_objective("reg:squarederror", source={"positive": "yes"}), "source.positive", "out"),
        (with_objective("multi:softprob", source={"rest": True}), "source.rest", "out"),
        (
            with_objective("multi:softprob", evaluation={"threshold": 0.5}),
            "evaluation.threshold",
            "tells two classes apart",
        ),
        (
            with_objective("multi:softmax", evaluation={"maximum": {"log_loss": 0.5}}),
            "evaluation.maximum.log_loss",
            "evaluation.maximum none",
        ),
        (
            with_objective("multi:softmax", evaluation={"minimum": {"auc_ovr_macro": 0.5}}),
            "evaluation.minimum.auc_ovr_macro",
            "accuracy, precision_macro, recall_macro, f1_macro",
        ),
        (
            with_objective("reg:squarederror", evaluation={"minimum": {"auc": 0.8}}),
            "evaluation.minimum.auc",
            "evaluation.minimum takes r2 and evaluation.maximum rmse, mae",
        ),
        (
            {
                **with_objective("reg:squarederror", evaluation={"maximum": {"mae": 3}}),
                "endpoint": {"keep": True},
                "batch_transform": {"enabled": False},
            },
            "endpoint.keep",
            "evaluation.maximum to {}",
        ),
        (
            {"training": {"hyperparameters": {"booster": "gblinear", "updater": "prune"}}},
            "training.hyperparameters.updater",
            "shotgun or coord_descent",
        ),
        ({"endpoint": {"keep": True, "enabled": False}}, "endpoint.keep", "endpoint.enabled"),
        (
            {"endpoint": {"keep": True}, "batch_transform": {"enabled": False}},
            "endpoint.keep",
            "evaluation.minimum to {}",
        ),
        ({"source": {"uri": "s3://x/" + "a" * 20_000}}, "input", "more than 16384"),
        ({"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}, "input", "nested deeper"),
        ([], "input", "a list"),
        ("{}", "input", "text"),
        (None, "input", "no value"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(
    execution_input: object, path: str, says: str
) -> None:
    """Each field alone would do; the message names the one to change."""
    message = refused(execution_input)
    assert f"\n- {path}: " in message
    assert says in message


def test_nothing_to_measure_may_be_kept_when_nothing_is_asked_of_it() -> None:
    """An empty minimum is the remedy the refusal offers, so it must work."""
    planned = plan(
        {
            "endpoint": {"keep": True},
            "batch_transform": {"enabled": False},
            "evaluation": {"minimum": {}},
        }
    )
    assert planned["endpoint"]["keep"] is True


def test_a_section_of_one_pipeline_is_refused_by_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What another state machine would ignore is no input of it."""
    split = load("plan.sections").Split
    monkeypatch.setattr(split, "pipelines", frozenset({"Scoring"}))
    given = at("split.seed", 7)
    says_one_problem(refused(given), "split", "start the one of the pipeline Scoring")
    assert plan(given, pipeline="Scoring")["split"]["seed"] == 7
    assert plan({})["split"]["seed"] == 42
