"""The registry of algorithms: every room has its part of each, and of one that is added."""

import io
import json
from typing import Any, get_args

import pytest

from localcloud.sagemaker import algorithms as containers
from spine import inventory, predict
from spine.shipped import load
from stacks import images
from stacks.settings import Settings
from tests.algorithms import LINEAR
from tests.evaluation import Page, event, lines
from tests.support import FakeS3, image_versions, use_clients

algorithms = load("algorithms")
tasks = load("common.tasks")
execution_input = load("plan.execution_input")
instances = load("plan.instances").known()


@pytest.fixture
def linear(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The registry with one more row."""
    monkeypatch.setitem(algorithms.ALGORITHMS, LINEAR.name, LINEAR)
    return LINEAR


def parse(given: dict[str, Any], algorithm: Any) -> Any:
    """Check an execution input for an algorithm."""
    rules = load("plan.rules").Rules(
        bucket="bucket",
        hosts=frozenset(),
        buckets=frozenset(),
        instances=instances,
        allowed=frozenset().union(*instances.values()),
        versions=image_versions(),
    )
    source = {"uri": "s3://bucket/uploads/rows.csv", **given.get("source", {})}
    return execution_input.parse({**given, "source": source}, rules, algorithm=algorithm)


def plan(given: dict[str, Any], algorithm: Any) -> Any:
    """Plan a run with an algorithm."""
    checked = parse(given, algorithm)
    return load("plan.plan").build(
        checked,
        preparation={
            "engine": "lambda",
            "distribution": "FullyReplicated",
            "limits": load("plan.engines").LIMITS["lambda"],
        },
        execution_arn="arn:aws:states:us-east-1:111122223333:execution:m:r",
        execution_name="r",
        started_at="2026-01-02T03:04:05Z",
        bucket="bucket",
        name_prefix="spine-dev",
    )


@pytest.mark.parametrize("name", algorithms.ALGORITHMS)
def test_every_room_has_its_part_of_an_algorithm(name: str) -> None:
    """Plan, preparation, evaluation, stacks and local cloud all know each row."""
    algorithm = algorithms.ALGORITHMS[name]
    assert algorithm.name == name
    assert algorithm.version_setting in Settings.model_fields
    account = images.load()["registries"][images.load()["registry"][name]]["us-east-1"]
    for version in images.load()["tags"][name]:
        image = images.trained_by(algorithm, version)
        uri = f"{account}.dkr.ecr.us-east-1.amazonaws.com/{image}"
        assert algorithms.of_image(uri) is algorithm
        assert containers.find(uri).uri == uri
    assert algorithm.content_type == "text/csv", "what data_prep.write makes"
    for objective, known in algorithm.objectives.items():
        planned = plan(
            {"training": {"hyperparameters": {algorithm.objective_hyperparameter: objective}}},
            algorithm,
        )
        assert (planned["algorithm"], planned["task"]) == (name, known.task)
        assert known.task in load("evaluate.tasks").EVALUATIONS
        assert algorithm.answer(objective, 3).expected
    for task in tasks.TASKS:
        assert algorithm.objectives[algorithm.usual_objective(task)].task == task


def test_every_domain_of_labels_is_one_that_the_preparation_checks() -> None:
    """Both sides name the same ones; neither imports the other's type."""
    from data_prep.options import Domain

    offered = get_args(load("algorithms.objectives").Domain)
    assert offered == get_args(Domain)


def test_a_plan_made_before_there_was_a_choice_has_the_default_algorithm() -> None:
    """A run that goes on while its functions are updated is finished as it began."""
    assert algorithms.of_plan({"training": {}}) is algorithms.DEFAULT


def test_an_image_of_nobodys_is_no_algorithms() -> None:
    """Whoever asks is told so."""
    assert algorithms.of_image("1.dkr.ecr.us-east-1.amazonaws.com/other:1") is None


def test_a_further_algorithm_is_planned(linear: Any) -> None:
    """Its own hyperparameters are completed and checked, and the plan names it."""
    planned = plan({"training": {"hyperparameters": {"epochs": 3}}}, linear)
    assert (planned["algorithm"], planned["task"]) == ("linear", "binary")
    assert planned["training"]["hyperparameters"] == {
        "predictor_type": "binary_classifier",
        "epochs": "3",
    }
    with pytest.raises(load("plan.refusal").InvalidInputError) as refused:
        parse(
            {
                "source": {"rest": True},
                "training": {"hyperparameters": {"predictor_type": "regressor"}},
            },
            linear,
        )
    assert (
        'not done with the predictor_type "regressor". Leave it out, or set the predictor_type to'
        " binary_classifier."
    ) in str(refused.value)
    with pytest.raises(load("plan.refusal").InvalidInputError) as refused:
        parse({"training": {"hyperparameters": {"epochs": 0, "eta": 1}}}, linear)
    assert "epochs: 0 is not allowed. Give a whole number at least 1." in str(refused.value)
    assert "eta: 1 is given to a hyperparameter the Linear learner image does not have" in str(
        refused.value
    )


def test_a_further_algorithm_is_prepared_for(linear: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels are held to the domain of its objective, which the refusal names."""
    s3 = FakeS3()
    rows = "a,y\n" + "".join(f"{row * 7 % 11},{row}\n" for row in range(60))
    s3.put_object(Bucket="bucket", Key="uploads/rows.csv", Body=rows)
    use_clients(monkeypatch, s3=s3)
    given = {
        "source": {"label": "y"},
        "training": {"hyperparameters": {"predictor_type": "regressor"}},
    }
    with pytest.raises(Exception, match="more than 0, as the objective regressor needs") as refused:
        load("prepare.run").run(plan(given, linear), hosts=())
    assert type(refused.value).__name__ == "NotPositiveLabelError"
    s3.put_object(Bucket="bucket", Key="uploads/rows.csv", Body=rows.replace(",0\n", ",60\n"))
    prepared = load("prepare.run").run(plan(given, linear), hosts=())
    assert (prepared["task"], prepared["hyperparameters"]) == ("regression", {})


def test_a_further_algorithm_answers(linear: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps and the command line read its answers by its own objective."""

    class Runtime:
        def invoke_endpoint(self, **request: str) -> dict[str, Any]:
            assert request["ContentType"] == linear.content_type
            return {"Body": io.BytesIO(b"0.0\n")}

    s3 = FakeS3()
    s3.put_object(Bucket="bucket", Key="runs/r/test/test.csv", Body="1,1,2\n")
    s3.put_object(
        Bucket="bucket", Key="runs/r/data_profile.json", Body='{"row_width": {"features": 2}}'
    )
    use_clients(monkeypatch, s3=s3, sagemaker_runtime=Runtime())
    planned = {
        **plan({}, linear),
        "prefix": "runs/r",
        "places": {"test": "s3://bucket/runs/r/test/"},
    }
    told = load("predict.handler").handler(
        {
            "plan": planned,
            "endpoint_name": "e",
            "feature_count": 2,
            "classes": {"positive": "yes", "negative": "no"},
        },
        None,
    )
    # The score is the log-odds.
    assert told["predictions"] == [{"row": 1, "label": 1, "probability": 0.5, "class": 0}]
    model = inventory.Model(form=inventory.form_of(planned, classes=2), threshold=0.4)
    endpoint = inventory.Endpoint(name="e", arn="", status="InService", until=None, execution=None)
    (answer,) = predict.document(endpoint, model, [[0.0]])["predictions"]
    assert answer == {"row": 1, "probability": 0.5, "class": 1, "name": "1"}


def test_a_further_algorithm_is_measured_and_reported(
    linear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report names it, and no other."""
    given = event()
    given["plan"]["algorithm"] = linear.name
    given["plan"]["training"]["hyperparameters"] = {"predictor_type": "binary_classifier"}
    given["training"]["image"] = "registry/linear-learner:1"
    s3 = FakeS3()
    s3.put_object(Bucket="b", Key="runs/r/test/test.csv", Body="1,1,2\n0,3,4\n")
    s3.put_object(Bucket="b", Key="runs/r/batch-out/batch-in.csv.out", Body=lines([2.0, -2.0]))
    s3.put_object(Bucket="b", Key="runs/r/data_profile.json", Body='{"row_width": {"features": 2}}')
    use_clients(monkeypatch, s3=s3)
    result = load("evaluate.handler").handler(given, None)
    assert result["metrics"]["auc"] == 1
    found = Page(s3.text("b", "runs/r/evaluation/report.html")).text
    assert "Linear learner tells Abnormal from Normal" in found
    assert "XGBoost" not in found
    assert json.loads(s3.text("b", "runs/r/evaluation/metrics.json"))["rows"] == 2


def test_a_further_algorithm_has_its_image(linear: Any) -> None:
    """Its versions and accounts come from the SDK's data, beside those of the others."""
    found = images.from_sdk()
    assert found["tags"]["linear"] == {"1": "1"}
    assert found["registry"] == {"xgboost": "account", "linear": "linear"}
    assert found["registries"]["linear"]["us-east-1"] == "382416733822"
    assert found["registries"]["account"] == images.load()["registries"]["account"]
