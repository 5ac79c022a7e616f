"""Planning a run: defaults, names, places, and every refusal."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.sagemaker.containers.xgboost import hyperparameters as container
from stacks import images
from tests.support import ROOT, FakeS3, load, use_clients

handler = load("plan.handler").handler
names = load("common.names")
refusal = load("plan.refusal")
instances = load("plan.instances")
objectives = load("common.objectives")

ARN = "arn:aws:states:eu-west-1:111122223333:execution:spine-dev:My_Run.1"
EXECUTION = {"arn": ARN, "name": "My_Run.1", "started_at": "2026-01-02T03:04:05Z"}
# CreateEndpoint, EndpointName, as the API reference gives it.
SAGEMAKER_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET", "spine-bucket")
    monkeypatch.setenv("NAME_PREFIX", "spine-dev")
    monkeypatch.setenv("SOURCE_HOSTS", "archive.ics.uci.edu, data.example.org")
    monkeypatch.setenv("SOURCE_BUCKETS", "partner-bucket")
    monkeypatch.setenv("INSTANCE_TYPES", "ml.m4.xlarge,ml.m5.large,ml.m5.xlarge,ml.m5.2xlarge")
    monkeypatch.setenv("XGBOOST_VERSION", "3.2-0")
    monkeypatch.setenv("SPARK_REGISTRY", "173754725891")
    # No test asks a server on the internet how large its file is.
    monkeypatch.setattr(load("common.fetch").Web, "size", lambda _self, _uri: 9_000)
    use_clients(monkeypatch, s3=FakeS3())


def plan(execution_input: object, **execution: str) -> Any:
    """Run the handler on an execution input."""
    return handler({"input": execution_input, "execution": {**EXECUTION, **execution}}, None)


def refused(execution_input: object) -> str:
    """Return the message the handler refuses an execution input with."""
    with pytest.raises(refusal.InvalidInputError) as caught:
        plan(execution_input)
    return str(caught.value)


def test_an_empty_input_plans_the_whole_notebook() -> None:
    """Every field has the default of the design, and the notebook's file is pinned by its hash."""
    planned = plan({})
    assert planned["source"] == {
        "uri": "https://archive.ics.uci.edu/static/public/212/vertebral+column.zip",
        "member": "column_2C_weka.arff",
        "label": "class",
        "positive": "Abnormal",
        "sha256": "2a9b58f5ff0d13843c17a2e6dcabd1866904fc6bc975d40f860fce3d2ec085da",
        "version_id": None,
        "rest": False,
        "format": {"kind": None, "delimiter": None, "header": None, "encoding": None},
        "drop": [],
        "rename": {},
        "categorical": [],
        "missing": "refuse",
        "allow_leakage": False,
    }
    assert planned["split"] == {"train": 0.8, "test": 0.1, "validate": 0.1, "seed": 42}
    assert planned["training"] == {
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "hyperparameters": {
            "num_round": "42",
            "eval_metric": "auc",
            "objective": "binary:logistic",
        },
        "spot": False,
        "max_runtime_seconds": 3600,
        "stopping_condition": {"MaxRuntimeInSeconds": 3600},
    }
    endpoint = planned["endpoint"]
    assert {name: value for name, value in endpoint.items() if name != "polls"} == {
        "enabled": True,
        "keep": False,
        "ttl_minutes": 60,
        "instance_type": "ml.m5.large",
    }
    assert planned["batch_transform"] == {
        "enabled": True,
        "instance_type": "ml.m5.large",
        "instance_count": 1,
    }
    assert planned["task"] == "binary"
    assert planned["evaluation"] == {"threshold": 0.65, "minimum": {"auc": 0.8}, "maximum": {}}


def test_a_run_has_its_own_names_and_places() -> None:
    """Everything of a run is under one prefix and one name, both derived from the execution."""
    planned = plan({})
    run = planned["run"]["id"]
    assert re.fullmatch(r"my-run-1-[0-9a-f]{8}", run)
    assert planned["run"] == {
        "id": run,
        "name": f"spine-dev-{run}",
        "execution": ARN,
        "started_at": "2026-01-02T03:04:05Z",
    }
    assert planned["bucket"] == "spine-bucket"
    assert planned["prefix"] == f"runs/{run}"
    folder = f"s3://spine-bucket/runs/{run}/"
    assert planned["places"] == {
        "train": f"{folder}train/",
        "test": f"{folder}test/",
        "validate": f"{folder}validate/",
        "batch_in": f"{folder}batch-in/",
        "model": f"{folder}model/",
        "batch_out": f"{folder}batch-out/",
        "evaluation": f"{folder}evaluation/",
        "preparation": f"{folder}preparation/",
        "preparation_key": f"runs/{run}/preparation/",
        "manifest_key": f"runs/{run}/manifest.json",
        "manifest": f"{folder}manifest.json",
    }


def test_the_wait_for_an_endpoint_is_bounded() -> None:
    """The waits grow, are few enough for a short history, and end after about half an hour."""
    polls = plan({})["endpoint"]["polls"]
    assert polls == sorted(polls)
    assert polls[:5] == [1, 2, 4, 8, 15]
    assert len(polls) <= 40
    assert 1500 <= sum(polls) <= 2100


def test_the_plan_is_small() -> None:
    """The largest input accepted still makes a plan far below the payload limit."""
    hyperparameters = {
        "tree_method": "hist",
        "interaction_constraints": json.dumps([[n, n + 1] for n in range(1, 200)]),
    }
    planned = plan({"training": {"hyperparameters": hyperparameters}})
    assert len(json.dumps(planned)) < 20_000


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({}, ("column_2C_weka.arff", True)),
        ({"uri": None}, ("column_2C_weka.arff", True)),
        ({"label": "class"}, ("column_2C_weka.arff", True)),
        ({"member": "column_2C_weka.arff"}, ("column_2C_weka.arff", True)),
        ({"member": "column_3C_weka.arff"}, ("column_3C_weka.arff", False)),
        ({"uri": "https://data.example.org/a.zip"}, (None, False)),
        ({"uri": "s3://spine-bucket/incoming/a b é.csv"}, (None, False)),
        ({"uri": "s3://partner-bucket/any/where.csv", "version_id": "v1"}, (None, False)),
        ({"uri": "https://DATA.example.org/a.csv?download=1"}, (None, False)),
    ],
)
def test_only_the_notebooks_own_file_is_pinned(
    source: dict[str, Any], expected: tuple[str | None, bool]
) -> None:
    """Another address or another member has another hash, so the pinned one must not apply."""
    planned = plan({"source": source})["source"]
    assert (planned["member"], planned["sha256"] is not None) == expected


def test_a_given_hash_wins_and_is_lower_case() -> None:
    """The hash a person gives is compared with hexdigest(), which is lower case."""
    assert plan({"source": {"sha256": "AB" * 32}})["source"]["sha256"] == "ab" * 32


def test_spot_training_may_wait_as_long_again() -> None:
    """SageMaker wants MaxWaitTimeInSeconds with spot, and refuses it without."""
    training = plan({"training": {"spot": True, "max_runtime_seconds": 600}})["training"]
    assert training["stopping_condition"] == {
        "MaxRuntimeInSeconds": 600,
        "MaxWaitTimeInSeconds": 1200,
    }


def test_the_bounds_themselves_are_allowed() -> None:
    """Closed ranges include their ends."""
    planned = plan(
        {
            "split": {"train": 0.98, "test": 0.01, "validate": 0.01, "seed": 2**32 - 1},
            "training": {"instance_count": 20, "max_runtime_seconds": 432_000},
            "endpoint": {"ttl_minutes": 10_080, "keep": True},
            "evaluation": {"threshold": 1, "minimum": {"auc": 1, "recall": 0}},
        }
    )
    assert planned["evaluation"] == {
        "threshold": 1,
        "minimum": {"auc": 1, "recall": 0},
        "maximum": {},
    }
    assert planned["split"]["seed"] == 2**32 - 1


def test_given_hyperparameters_are_merged_over_the_defaults() -> None:
    """Whatever the JSON type, SageMaker gets the text the container parses."""
    given_values = {
        "num_round": 100.0,
        "eta": 0.05,
        "max_depth": "6",
        "one_drop": True,
        "deterministic_histogram": False,
        "reg_lambda": 1,
        "eval_metric": "auc,error@0.65",
        "tree_method": "hist",
        "monotone_constraints": "(1, 0, -1)",
        "interaction_constraints": "[[1,2],[3]]",
    }
    assert plan({"training": {"hyperparameters": given_values}})["training"]["hyperparameters"] == {
        "num_round": "100",
        "eta": "0.05",
        "max_depth": "6",
        "one_drop": "1",
        "deterministic_histogram": "false",
        "lambda": "1",
        "eval_metric": "auc,error@0.65",
        "tree_method": "hist",
        "monotone_constraints": "(1, 0, -1)",
        "interaction_constraints": "[[1,2],[3]]",
        "objective": "binary:logistic",
    }


def _in(path: str, value: object) -> dict[str, Any]:
    """Build an input with one field, given by its dotted path."""
    inner: Any = value
    for part in reversed(path.split(".")):
        inner = {part: inner}
    built: dict[str, Any] = inner
    return built


# (field, value, what the message must say besides the field)
REFUSALS: list[tuple[str, object, str]] = [
    # Unknown fields
    ("sorce", {}, 'Did you mean "source"?'),
    ("threshold", 0.5, 'Did you mean "evaluation.threshold"?'),
    ("__proto__", {}, "does not exist"),
    ("source.url", "https://data.example.org/a.csv", 'Did you mean "uri"?'),
    ("split.validation", 0.1, 'Did you mean "validate"?'),
    ("training.image", "evil:latest", "does not exist"),
    ("training.role_arn", "arn:aws:iam::999999999999:role/x", "does not exist"),
    ("endpoint.name", "other-endpoint", "does not exist"),
    ("batch_transform.keep", True, "does not exist"),
    ("evaluation.minimum.acu", 0.8, 'Did you mean "auc"?'),
    ("run", {"id": "mine"}, "does not exist"),
    ("places", {"model": "s3://elsewhere/"}, "does not exist"),
    # Wrong types
    ("source", None, "no value"),
    ("source", "s3://spine-bucket/incoming/a.csv", "is text"),
    ("endpoint", False, "a truth value"),
    ("evaluation", [], "a list"),
    ("evaluation.minimum", 0.8, "a number"),
    ("training.hyperparameters", "eta=1", "is text"),
    ("endpoint.enabled", "true", "without quotes"),
    ("endpoint.enabled", 1, "without quotes"),
    ("endpoint.ttl_minutes", "60", "whole number"),
    ("endpoint.ttl_minutes", 60.5, "whole number"),
    ("training.instance_count", True, "whole number"),
    ("training.instance_type", 5, "is a number"),
    ("split.train", "0.8", "between 0 and 1"),
    ("split.train", True, "between 0 and 1"),
    ("evaluation.threshold", None, "from 0 to 1"),
    ("source.label", 3, "is a number"),
    ("source.positive", 1, "in quotes even for a number"),
    ("source.uri", ["s3://spine-bucket/incoming/a.csv"], "a list"),
    # Out of range
    ("evaluation.threshold", 2, "from 0 to 1"),
    ("evaluation.threshold", -0.01, "from 0 to 1"),
    ("evaluation.threshold", float("nan"), "from 0 to 1"),
    ("evaluation.threshold", float("inf"), "from 0 to 1"),
    ("evaluation.minimum.auc", 1.01, "from 0 to 1"),
    ("split", {"train": 0.7, "test": 0.1, "validate": 0.1}, "0.9 in total, not 1"),
    ("split", {"train": 0.9}, "1.1 in total, not 1"),
    ("split.train", 0, "between 0 and 1"),
    ("split.test", 1, "between 0 and 1"),
    ("split.validate", -0.1, "between 0 and 1"),
    ("split.seed", -1, "whole number"),
    ("split.seed", 2**32, "whole number"),
    ("training.instance_count", 0, "from 1 to 20"),
    ("training.instance_count", 21, "from 1 to 20"),
    ("batch_transform.instance_count", 1000, "from 1 to 20"),
    ("training.max_runtime_seconds", 59, "from 60 to 432000"),
    ("training.max_runtime_seconds", 432_001, "from 60 to 432000"),
    ("endpoint.ttl_minutes", 0, "one week"),
    ("endpoint.ttl_minutes", 10_081, "one week"),
    # Instance types
    ("training.instance_type", "ml.m5.xlage", 'Did you mean "ml.m5.xlarge"?'),
    ("training.instance_type", "m5.xlarge", 'Did you mean "ml.m5.xlarge"?'),
    ("training.instance_type", "ml.p4d.24xlarge", "add it to instance_types in cdk.json"),
    ("training.instance_type", "", "not an instance type"),
    ("endpoint.instance_type", "ml.m99.huge", "for an endpoint"),
    ("batch_transform.instance_type", "ml.t2.medium", "for a batch transform"),
    # Sources
    ("source.uri", "", "neither an https:// nor an s3://"),
    ("source.uri", "http://archive.ics.uci.edu/a.zip", "neither an https:// nor an s3://"),
    ("source.uri", "file:///etc/passwd", "neither an https:// nor an s3://"),
    ("source.uri", "ftp://data.example.org/a.zip", "neither"),
    ("source.uri", "//data.example.org/a.zip", "neither"),
    ("source.uri", "https://169.254.169.254/latest/meta-data", "not on a host"),
    ("source.uri", "https://archive.ics.uci.edu.evil.example/a", "not on a host"),
    ("source.uri", "https://evil.example#archive.ics.uci.edu/a", "not on a host"),
    ("source.uri", "https://[::1]/a.zip", "a port"),
    ("source.uri", "https://archive.ics.uci.edu:8443/a.zip", "a port"),
    ("source.uri", "https://archive.ics.uci.edu@evil.example/a", "with credentials"),
    ("source.uri", "https://data.example.org/a.zip#part", "with a fragment"),
    ("source.uri", "https://data.example.org", "address of a folder"),
    ("source.uri", "https://data.example.org/a/", "address of a folder"),
    ("source.uri", "https://data.example.org\\@evil.example/a", "backslashes"),
    ("source.uri", "https://data.exa\tmple.org/a", "control characters"),
    ("source.uri", "https://data.example.org/a b", "blanks"),
    ("source.uri", "https://data.example.org/" + "a" * 2048, "at most 2048 characters"),
    ("source.uri", "https://data.example.org/a?X-Amz-Signature=00", "secret in its query"),
    ("source.uri", "https://data.example.org/a?ACCESS_TOKEN=00", "secret in its query"),
    ("source.uri", "s3://other-bucket/incoming/a.csv", "not in a bucket"),
    ("source.uri", "s3://spine-bucket.evil/incoming/a.csv", "not in a bucket"),
    ("source.uri", "s3://", "without a bucket"),
    ("source.uri", "s3://SPINE-bucket/incoming/a.csv", "without a bucket"),
    ("source.uri", "s3://spine-bucket", "a folder or a bucket"),
    ("source.uri", "s3://spine-bucket/incoming/", "a folder or a bucket"),
    ("source.uri", "s3://spine-bucket/runs/other/train/train.csv", "incoming/ or uploads/"),
    ("source.uri", "s3://spine-bucket/incoming/../runs/x/train.csv", "Rename the object"),
    ("source.uri", "s3://spine-bucket/incoming//a.csv", "Rename the object"),
    ("source.uri", "s3://partner-bucket/./a.csv", "Rename the object"),
    ("source.version_id", "v1", "for S3 objects only"),
    ("source.version_id", "", "is empty"),
    ("source.sha256", "abc", "64 hexadecimal digits"),
    ("source.sha256", "g" * 64, "64 hexadecimal digits"),
    ("source.sha256", "a" * 64 + "\n", "64 hexadecimal digits"),
    ("source.member", "", "is empty"),
    ("source.member", "a\x00.csv", "cannot be printed"),
    ("source.member", 7, "is a number"),
    ("source.label", "", "is empty"),
    ("source.label", "cl\u202eass", "cannot be printed"),
    ("source.label", "x" * 257, "1 to 256 characters"),
    ("source.positive", "a\nb", "cannot be printed"),
    # Hyperparameters
    ("training.hyperparameters.max_depht", 6, 'Did you mean "max_depth"?'),
    ("training.hyperparameters.n_estimators", 6, "does not have"),
    ("training.hyperparameters.sagemaker_program", "evil.py", "does not have"),
    ("training.hyperparameters.num_class", 3, "multi:softprob or multi:softmax"),
    ("training.hyperparameters.num_class", 1, "at least 2 and at most 256"),
    ("training.hyperparameters.tweedie_variance_power", 1.5, "the objective to reg:tweedie"),
    ("training.hyperparameters.tweedie_variance_power", 2, "above 1 and below 2"),
    ("training.hyperparameters._kfold", 5, "one model"),
    ("training.hyperparameters.csv_weights", 1, "no column of weights"),
    ("training.hyperparameters.process_type", "update", "no earlier model"),
    ("training.hyperparameters.objective", "binary:hinge", "Give binary:logistic"),
    ("training.hyperparameters.objective", "reg:linear", "Give reg:squarederror"),
    ("training.hyperparameters.objective", "rank:ndcg", "no groups"),
    ("training.hyperparameters.objective", "survival:aft", "censored"),
    ("training.hyperparameters.objective", "reg:quantileerror", "Give one of: binary:logistic"),
    ("evaluation.minimum.r2", 0.5, "takes auc, accuracy, precision, recall, f1"),
    ("evaluation.minimum.f1_macro", 0.5, "not measured"),
    ("evaluation.minimum.r2", 1.5, "at most 1"),
    ("evaluation.maximum.rmse", 3, "evaluation.maximum none"),
    ("evaluation.maximum.rmse", -1, "at least 0"),
    ("evaluation.maximum.rsme", 1, 'Did you mean "rmse"?'),
    ("training.hyperparameters.num_round", 0, "at least 1 and at most 1e+06"),
    ("training.hyperparameters.num_round", "42.0", "whole number"),
    ("training.hyperparameters.num_round", "4_2", "whole number"),
    ("training.hyperparameters.num_round", "٤٢", "whole number"),
    ("training.hyperparameters.num_round", None, "whole number"),
    ("training.hyperparameters.num_round", True, "whole number"),
    ("training.hyperparameters.eta", 1.5, "at least 0 and at most 1"),
    ("training.hyperparameters.eta", "nan", "at least 0 and at most 1"),
    ("training.hyperparameters.eta", "fast", "at least 0 and at most 1"),
    ("training.hyperparameters.eta", [0.1], "at least 0 and at most 1"),
    ("training.hyperparameters.eta", True, "at least 0 and at most 1"),
    ("training.hyperparameters.subsample", 0, "above 0 and at most 1"),
    ("training.hyperparameters.max_depth", -1, "at least 0"),
    ("training.hyperparameters.gamma", "inf", "at least 0"),
    ("training.hyperparameters.scale_pos_weight", 0, "above 0"),
    ("training.hyperparameters.base_score", 1, "below 1"),
    ("training.hyperparameters.booster", "gbforest", "gbtree, gblinear, dart"),
    ("training.hyperparameters.eval_metric", "mlogloss", "Give one or more of these"),
    ("training.hyperparameters.eval_metric", "tweedie-nloglik", "Give one or more of these"),
    ("training.hyperparameters.eval_metric", "auc, logloss", "Give one or more of"),
    ("training.hyperparameters.eval_metric", "error@", "Give one or more of"),
    ("training.hyperparameters.monotone_constraints", "__import__('os')", "(1,0,-1)"),
    ("training.hyperparameters.monotone_constraints", "(1,0)", "Set tree_method to exact"),
    ("training.hyperparameters.interaction_constraints", "[[0]]", "from 1"),
    ("training.hyperparameters.interaction_constraints", "[" * 2000, "from 1"),
    ("training.hyperparameters.interaction_constraints", "[[1]]", "Set tree_method to exact"),
    ("training.hyperparameters.updater", "shotgun", "linear booster"),
    ("training.hyperparameters.updater", "distcol,grow_colmaker", "Keep one grower"),
]


@pytest.mark.parametrize(
    ("path", "value", "says"), REFUSALS, ids=[f"{n}-{p}" for n, (p, _, _) in enumerate(REFUSALS)]
)
def test_what_cannot_run_is_refused_by_name(path: str, value: object, says: str) -> None:
    """Each refusal is one line naming the field and the value, and says what to change."""
    message = refused(_in(path, value))
    assert message.startswith("The execution input has 1 problem; nothing was started.\n- ")
    line = message.splitlines()[1]
    assert len(message.splitlines()) == 2
    assert line.startswith(f"- {path}: ")
    assert says in line
    assert line.endswith(".")


def with_objective(objective: str, **sections: Any) -> dict[str, Any]:
    """An execution input of another task than the default."""
    return {"training": {"hyperparameters": {"objective": objective}}, **sections}


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


@pytest.mark.parametrize(
    ("image", "given", "needed"),
    [
        ("1.5-1", {"objective": "reg:absoluteerror"}, "1.7-1"),
        ("1.0-1", {"objective": "reg:pseudohubererror"}, "1.2-1"),
        ("1.2-1", {"eval_metric": "auc,f1_macro"}, "1.2-2"),
        ("1.2-2", {"eval_metric": "f1_macro,recall"}, "1.3-1"),
        ("1.2-2", {"sampling_method": "uniform"}, "1.3-1"),
        ("1.5-1", {"use_dask_gpu_training": False}, "1.7-1"),
    ],
)
def test_what_the_deployments_image_does_not_know_is_refused(
    monkeypatch: pytest.MonkeyPatch, image: str, given: dict[str, Any], needed: str
) -> None:
    """An older image would refuse it when the job's instances run; the newer one named takes it."""
    monkeypatch.setenv("XGBOOST_VERSION", image)
    asked = {"training": {"hyperparameters": given}}
    ((name, value),) = given.items()
    _, line = refused(asked).splitlines()
    assert line.startswith(f"- training.hyperparameters.{name}: ")
    assert f"image {needed} or a newer one, and this deployment trains with {image}" in line
    assert "xgboost_version in cdk.json" in line
    monkeypatch.setenv("XGBOOST_VERSION", needed)
    assert plan(asked)["training"]["hyperparameters"][name] == str(value).lower()


def test_the_oldest_image_trains_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the defaults is newer than any image that can be deployed."""
    for image in images.load()["tags"]:
        monkeypatch.setenv("XGBOOST_VERSION", image)
        assert plan({})["task"] == "binary"


def test_every_objective_on_offer_has_a_test_above_and_its_metrics_are_the_containers() -> None:
    """The names are those that the container's own check takes, so no job fails for them."""
    assert {*objectives.OBJECTIVES, *objectives.NOT_OFFERED} | {"aft_loss_distribution"} == set(
        container._OBJECTIVES
    )
    for name, known in objectives.OBJECTIVES.items():
        classes = {"num_class": "3"} if known.task == "multiclass" else {}
        container.validate(
            {"num_round": "1", "objective": name, "eval_metric": ",".join(known.metrics), **classes}
        )


def test_the_documented_inputs_are_accepted() -> None:
    """Each whole input shown in the document on data preparation is one that plan takes."""
    text = (ROOT / "docs" / "data-preparation.md").read_text(encoding="utf-8")
    shown = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert len(shown) >= 3
    tasks = {plan(json.loads(each.replace("BUCKET", "spine-bucket")))["task"] for each in shown}
    assert tasks == {"binary", "multiclass", "regression"}


def test_what_is_asked_of_other_metrics_reaches_the_plan() -> None:
    """Several classes and numbers have minima and maxima of their own."""
    several = with_objective(
        "multi:softprob", evaluation={"minimum": {"f1_macro": 0.7}, "maximum": {"log_loss": 0.4}}
    )
    several["training"]["hyperparameters"]["num_class"] = 3
    planned = plan(several)
    assert planned["evaluation"]["minimum"] == {"f1_macro": 0.7}
    assert planned["evaluation"]["maximum"] == {"log_loss": 0.4}
    assert planned["training"]["hyperparameters"]["num_class"] == "3"
    number = {"minimum": {"r2": -0.5}, "maximum": {"rmse": 1e6, "mae": 0}}
    planned = plan(with_objective("reg:squarederror", evaluation=number))
    assert planned["evaluation"] == {"threshold": None, **number}


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


def test_every_problem_is_reported_at_once() -> None:
    """A person corrects the input once, across sections and kinds of checks."""
    message = refused(
        {
            "colour": "red",
            "source": {"label": ""},
            "split": {"train": 0.5},
            "training": {"instance_type": "x", "hyperparameters": {"eta": 9, "what": 1}},
            "endpoint": {"keep": True, "enabled": False},
            "batch_transform": {"instance_count": 0},
            "evaluation": {"threshold": 2},
        }
    )
    assert "has 8 problems" in message
    paths = [line[2:].partition(": ")[0] for line in message.splitlines()[1:]]
    assert paths == [
        "colour",
        "source.label",
        "split",
        "training.instance_type",
        "training.hyperparameters.eta",
        "training.hyperparameters.what",
        "batch_transform.instance_count",
        "evaluation.threshold",
    ]


def test_a_long_list_of_problems_is_cut() -> None:
    """The console shows a cause of limited length, so the count tells the rest."""
    message = refused({f"field{n}": n for n in range(500)})
    assert "500 problems" in message
    assert message.endswith("and 480 more.")
    assert len(message) < 8_000


def test_a_refusal_shows_no_secret() -> None:
    """Causes stay in the execution history, which more people can read than the input's author."""
    for uri in (
        "https://me:hunter2@data.example.org/a.zip",
        "https://data.example.org/a.zip?token=hunter2",
        "https://other.example/a.zip?key=hunter2",
        "https://me:hunter2@data.example.org/" + "a" * 3000,
    ):
        assert "hunter2" not in refused({"source": {"uri": uri}})


def test_a_long_or_invisible_value_is_shown_shortened_and_escaped() -> None:
    """A message is one line for each problem, whatever the value holds."""
    message = refused({"source": {"member": "x" * 5000}})
    assert "x" * 70 in message
    assert "x" * 81 not in message
    message = refused({"split": {"a\nb\u202e": "\ud800\x1b[31m"}})
    assert len(message.splitlines()) == 2
    assert message.isascii()


def test_instance_types_come_from_botocores_model() -> None:
    """The three uses have their own lists, and the defaults are on them."""
    known = instances.known()
    assert "ml.m5.xlarge" in known["training"]
    assert "ml.t2.medium" in known["endpoint"] - known["transform"]
    assert instances.known() is known


@pytest.mark.slow
@given(
    name=st.text(min_size=1, max_size=80),
    arn=st.text(max_size=200),
    prefix=st.from_regex(r"[a-z][a-z0-9]{0,4}-[a-z0-9]{1,8}", fullmatch=True),
)
@settings(deadline=None)
def test_any_execution_gives_names_sagemaker_accepts(name: str, arn: str, prefix: str) -> None:
    """Whatever the execution is called, its names fit, and the run owns them."""
    run = names.run_id(name, arn)
    assert len(run) <= 40
    base = names.base_name(prefix, run)
    assert len(base) <= 55
    for made in (base, f"{base}-0-0", f"{base}-999-999"):
        assert SAGEMAKER_NAME.fullmatch(made)
        assert names.RESOURCE_NAME.fullmatch(made)
        assert names.belongs(made, base)


@given(first=st.text(max_size=80), second=st.text(max_size=80))
def test_runs_of_different_executions_have_different_names(first: str, second: str) -> None:
    """Names that differ only in capitals or punctuation do not collide."""
    same = names.run_id(first, f"arn:{first}") == names.run_id(second, f"arn:{second}")
    assert same == (first == second)


def test_a_run_does_not_own_what_another_run_made() -> None:
    """An execution may be called after a run; the digits of a hash are never taken for attempts."""
    base = "spine-dev-nightly-1a2b3c4d"
    assert not names.belongs(f"{base}-again-00000000", base)
    assert not names.belongs(f"{base}-0-12345678", base)
    assert not names.belongs(f"{base}5", base)
    assert not names.belongs(f"{base}-", base)
    assert not names.belongs("spine-dev-nightly", base)


def test_the_run_is_found_from_the_executions_arn() -> None:
    """The sweeper only has the ARN, and must come to the same run."""
    assert names.run_id_of(ARN) == names.run_id("My_Run.1", ARN)


@pytest.mark.parametrize("prefix", ["Spine-dev", "spine_dev", "-spine", "spine-development", ""])
def test_a_prefix_sagemaker_would_refuse_fails_at_once(prefix: str) -> None:
    """A wrong deployment setting is an error of ours, not of the input."""
    with pytest.raises(ValueError, match="cannot name SageMaker resources"):
        names.base_name(prefix, "a" * 31 + "-00000000")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({"format": {"delimiter": ";;"}}, "source.format.delimiter"),
        ({"format": {"delimiter": "\n"}}, "source.format.delimiter"),
        ({"format": {"kind": "excel"}}, 'source.format.kind: "excel"'),
        ({"format": {"header": "no"}}, "source.format.header"),
        ({"format": {"quote": "'"}}, "source.format.quote"),
        ({"format": []}, "source.format"),
        ({"missing": "drop"}, 'source.missing: "drop"'),
        ({"drop": "id"}, "source.drop"),
        ({"drop": [1]}, "source.drop.0"),
        ({"rename": {"a": ""}}, "source.rename.a"),
        ({"categorical": [""]}, "source.categorical.0"),
        ({"rest": 1}, "source.rest"),
        ({"allow_leakage": "yes"}, "source.allow_leakage"),
    ],
)
def test_fields_about_the_file_are_refused_by_name(source: dict[str, Any], says: str) -> None:
    """Each field of how the file is written and read says what it takes."""
    assert says in refused({"source": source})


def test_fields_about_the_file_reach_the_plan() -> None:
    """What is asked of the columns travels to the preparation as it was given."""
    given = {
        "format": {"kind": "csv", "delimiter": "|", "header": False, "encoding": "latin-1"},
        "drop": ["column_1"],
        "rename": {"column_2": "age"},
        "categorical": ["column_3"],
        "missing": "pass",
        "rest": True,
        "allow_leakage": True,
    }
    planned = plan({"source": given})["source"]
    assert {name: planned[name] for name in given} == given
