"""What a plan holds: defaults, names and places."""

import json
import re

from tests.planning import ARN, plan, refused, with_objective

FORMAT: dict[str, object] = {
    **dict.fromkeys(["kind", "delimiter", "header", "encoding", "comment"]),
    **dict.fromkeys(["decimal", "thousands", "sheet"]),
    "names": [],
    "na_values": [],
}


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
        "format": FORMAT,
        "drop": [],
        "rename": {},
        "categorical": [],
        "missing": "refuse",
        "encode_text": False,
        "missing_label": "refuse",
        "rare_classes": "refuse",
        "allow_leakage": False,
        "allow_duplicates": False,
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
        # Of kinds whose names are shorter; there is none yet.
        "short_name": f"spine-dev-{run}",
        "execution": ARN,
        "execution_tag": ARN,
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
        "checkpoints": f"{folder}checkpoints/",
        "model": f"{folder}model/",
        "batch_out": f"{folder}batch-out/",
        "evaluation": f"{folder}evaluation/",
        "preparation": f"{folder}preparation/",
        "preparation_key": f"runs/{run}/preparation/",
        "manifest_key": f"runs/{run}/manifest.json",
        "manifest": f"{folder}manifest.json",
    }


def test_an_execution_may_be_called_what_no_tag_may_hold() -> None:
    """The tag writes it out; what is too long for a tag then is refused with what to do."""
    start = ARN.rpartition(":")[0]
    run = plan({}, arn=f"{start}:été!🚀", name="été!🚀")["run"]
    assert run["execution_tag"] == f"{start}:été/21//1f680/"
    assert re.fullmatch(r"[a-z0-9-]+", run["id"])
    said = refused({}, arn=f"{start}:{'🚀' * 80}", name="🚀" * 80)
    assert "as a tag" in said
    assert "Start a new execution under a shorter name" in said


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


def test_fields_about_the_file_reach_the_plan() -> None:
    """What is asked of the columns travels to the preparation as it was given."""
    given = {
        "format": {
            **FORMAT,
            "kind": "csv",
            "delimiter": "|",
            "header": False,
            "encoding": "latin-1",
        },
        "drop": ["column_1"],
        "rename": {"column_2": "age"},
        "categorical": ["column_3"],
        "missing": "pass",
        "rest": True,
        "allow_leakage": True,
    }
    planned = plan({"source": given})["source"]
    assert {name: planned[name] for name in given} == given
