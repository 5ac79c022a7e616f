"""Train, create the model, serve, predict and transform, as a pipeline does."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from sklearn.metrics import confusion_matrix, roc_auc_score
from sklearn.model_selection import train_test_split

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    IMAGE,
    Cloud,
    channel,
    make_table,
    scores,
    to_csv,
    variant,
)
from tests.support import SAMPLE


def test_a_training_job_passes_through_the_states_of_aws(cloud: Cloud) -> None:
    """A job ends Completed after every secondary status, with times, metrics and its artifact."""
    job = cloud.describe_training("trained")

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    transitions = job["SecondaryStatusTransitions"]
    assert [step["Status"] for step in transitions] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert all(step["StartTime"] <= step["EndTime"] for step in transitions)
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["TrainingTimeInSeconds"] >= 1
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"]
    artifact = f"s3://{BUCKET}/model/trained/output/model.tar.gz"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == artifact
    assert job["TrainingJobArn"] == "arn:aws:sagemaker:us-east-1:000000000000:training-job/trained"
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    log = (cloud.jobs / "training-job" / "trained" / "log").read_text()
    last = next(line for line in log.splitlines() if line.startswith("[41]"))
    assert metrics.keys() == {"train:auc", "validation:auc"}
    assert f"#011validation-auc:{metrics['validation:auc']:.5f}" in last


def test_an_endpoint_describes_its_variants_and_goes_without_a_trace(cloud: Cloud) -> None:
    """An endpoint is InService with its image and weight, and gone after DeleteEndpoint."""
    cloud.create_endpoint("passing", model="trained")
    described = cloud.wait_for_endpoint("passing")
    (served,) = described["ProductionVariants"]
    assert described["EndpointStatus"] == "InService"
    assert served["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert (served["CurrentWeight"], served["CurrentInstanceCount"]) == (1.0, 1)

    cloud.sagemaker.delete_endpoint(EndpointName="passing")
    cloud.sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="passing", WaiterConfig={"Delay": 1, "MaxAttempts": 10}
    )

    names = [found["EndpointName"] for found in cloud.sagemaker.list_endpoints()["Endpoints"]]
    assert "passing" not in names
    assert cloud.sagemaker.describe_endpoint_config(EndpointConfigName="passing")


def test_variants_share_requests_and_can_be_chosen(cloud: Cloud) -> None:
    """TargetVariant names the variant that answers; a variant of weight 0 gets nothing else."""
    cloud.sagemaker.create_endpoint_config(
        EndpointConfigName="two",
        ProductionVariants=[
            variant("main", "trained", InitialVariantWeight=1),
            variant("idle", "trained", InitialVariantWeight=0),
        ],
    )
    cloud.sagemaker.create_endpoint(EndpointName="two", EndpointConfigName="two")
    cloud.wait_for_endpoint("two")
    row = to_csv(make_table(1)[:, 1:])

    chosen = {cloud.invoke("two", row)["InvokedProductionVariant"] for _ in range(5)}
    targeted = cloud.invoke("two", row, TargetVariant="idle")["InvokedProductionVariant"]

    assert (chosen, targeted) == ({"main"}, "idle")


def test_several_files_and_prefixes_make_one_channel(cloud: Cloud) -> None:
    """Every object under an S3Prefix is downloaded, in the order of keys."""
    table = make_table()
    cloud.put("parts/train-a.csv", to_csv(table[:100]))
    cloud.put("parts/train-b/more.csv", to_csv(table[100:248]))
    cloud.put("parts/test.csv", "not for training")

    job = cloud.train("parts", InputDataConfig=[channel("train", "parts/train-")])

    assert job["TrainingJobStatus"] == "Completed"
    log = (cloud.jobs / "training-job" / "parts" / "log").read_text()
    assert "Train matrix has 248 rows and 6 columns" in log


def test_an_older_image_says_which_library_runs(cloud: Cloud) -> None:
    """The job's description, log and folder name both the image's library and the one that ran."""
    image = IMAGE.replace("3.2-0", "1.0-1-cpu-py3")
    job = cloud.train(
        "older", AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"}
    )

    installed = xgboost.__version__
    note = f"The image holds XGBoost 1.0.0; XGBoost {installed} runs here."
    folder = cloud.jobs / "training-job" / "older"
    assert note in job["SecondaryStatusTransitions"][2]["StatusMessage"]
    assert note in (folder / "log").read_text()
    told = json.loads((folder / "container.json").read_text())
    assert told["image_library"] == "XGBoost 1.0.0"
    assert told["library"] == f"XGBoost {installed}"


def test_spot_settings_are_plain_fields(cloud: Cloud) -> None:
    """Managed spot training runs as any other, with its fields described."""
    condition = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120}
    job = cloud.train("spot", EnableManagedSpotTraining=True, StoppingCondition=condition)

    assert job["TrainingJobStatus"] == "Completed"
    assert job["EnableManagedSpotTraining"] is True
    assert job["StoppingCondition"] == condition


def test_the_notebooks_numbers(cloud: Cloud, tmp_path: Path) -> None:
    """The real data set gives the notebook's test AUC and confusion matrix at 0.65."""
    _, _, body = SAMPLE.read_text().partition("@data\n")
    rows = [line.split(",") for line in body.splitlines() if line.strip()]
    table = np.array(
        [[float(row[-1] == "Abnormal"), *map(float, row[:-1])] for row in rows], dtype=float
    )
    train, rest = train_test_split(table, test_size=0.2, random_state=42, stratify=table[:, 0])
    test, validation = train_test_split(rest, test_size=0.5, random_state=42, stratify=rest[:, 0])
    for key, part in (("train", train), ("validation", validation)):
        cloud.put(f"real/{key}/{key}.csv", to_text(part))
    cloud.put("real/batch-in/batch-in.csv", to_text(test[:, 1:]))

    cloud.train(
        "real",
        InputDataConfig=[
            channel("train", "real/train/"),
            channel("validation", "real/validation/"),
        ],
    )
    cloud.create_model("real", job="real")
    request = cloud.transform_request("real", ModelName="real")
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    source["S3Uri"] = f"s3://{BUCKET}/real/batch-in/"
    cloud.sagemaker.create_transform_job(**request)
    assert cloud.wait_for_transform("real")["TransformJobStatus"] == "Completed"

    predictions = np.array(scores(cloud.read("out/real/batch-in.csv.out")))
    assert round(roc_auc_score(test[:, 0], predictions), 4) == 0.8905
    counts = confusion_matrix(test[:, 0], predictions > 0.65).ravel().tolist()
    if xgboost.__version__ >= "3":
        assert counts == [8, 2, 4, 17]


def to_text(table: np.ndarray[Any, Any]) -> str:
    """Writes rows with every digit."""
    return "".join(",".join(map(str, row.tolist())) + "\n" for row in table)
