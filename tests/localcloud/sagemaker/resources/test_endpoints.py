"""Endpoints of several variants, how they change, what they capture."""

import base64
import json
from collections import Counter
from typing import Any

import pytest

from tests.localcloud.sagemaker.cloud import BUCKET, ROLE, Cloud, refused, until, variant

ROW = "0.1,0.2,0.3,0.4,0.5,0.6"
ARN = "arn:aws:sagemaker:us-east-1:000000000000"


@pytest.fixture(scope="module")
def rival(cloud: Cloud) -> str:
    """A model that answers differently from `trained`."""
    short = {"num_round": "1", "objective": "binary:logistic"}
    assert cloud.train("rival", HyperParameters=short)["TrainingJobStatus"] == "Completed"
    cloud.create_model("rival", job="rival")
    return "rival"


def configure(cloud: Cloud, name: str, *variants: dict[str, Any], **more: Any) -> None:
    """Creates a configuration."""
    cloud.sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=list(variants), **more
    )


def host(cloud: Cloud, name: str, *variants: dict[str, Any], **more: Any) -> None:
    """Creates an endpoint with a configuration of its name and waits until it serves."""
    configure(cloud, name, *variants, **more)
    cloud.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert cloud.wait_for_endpoint(name)["EndpointStatus"] == "InService"


def settled(cloud: Cloud, name: str) -> Any:
    """Describes an endpoint once it is no longer changing."""

    def look() -> Any:
        found = cloud.sagemaker.describe_endpoint(EndpointName=name)
        return None if found["EndpointStatus"] in ("Updating", "RollingBack") else found

    return until(look)


def score(cloud: Cloud, endpoint: str, **options: Any) -> bytes:
    """The prediction for a row."""
    body: bytes = cloud.invoke(endpoint, ROW, **options)["Body"].read()
    return body


def test_variants_share_invocations_by_weight(cloud: Cloud, rival: str) -> None:
    """Invocations go to variants in proportion to their weights, or where TargetVariant says."""
    host(
        cloud,
        "shares",
        variant("a", "trained", InitialVariantWeight=3),
        variant("b", rival, InitialVariantWeight=1),
    )
    answers = [cloud.invoke("shares", ROW) for _ in range(200)]
    names = Counter(answer["InvokedProductionVariant"] for answer in answers)
    # Four standard deviations of 200 draws at 3 of 4.
    assert 125 <= names["a"] <= 175
    scores = {answer["InvokedProductionVariant"]: answer["Body"].read() for answer in answers}
    assert scores["a"] != scores["b"]

    targeted = cloud.invoke("shares", ROW, TargetVariant="b")
    assert targeted["InvokedProductionVariant"] == "b"
    assert targeted["Body"].read() == scores["b"]


def test_weights_and_capacities_change_in_place(cloud: Cloud, rival: str) -> None:
    """UpdateEndpointWeightsAndCapacities moves the traffic without a new configuration."""
    host(cloud, "moves", variant("a", "trained"), variant("b", rival))
    cloud.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="moves",
        DesiredWeightsAndCapacities=[
            {"VariantName": "a", "DesiredWeight": 0},
            {"VariantName": "b", "DesiredWeight": 1, "DesiredInstanceCount": 2},
        ],
    )
    described = settled(cloud, "moves")
    assert described["EndpointStatus"] == "InService"
    variants = {each["VariantName"]: each for each in described["ProductionVariants"]}
    assert (variants["a"]["CurrentWeight"], variants["b"]["CurrentInstanceCount"]) == (0, 2)
    answers = [cloud.invoke("moves", ROW) for _ in range(10)]
    assert {answer["InvokedProductionVariant"] for answer in answers} == {"b"}


def test_a_weight_needs_its_variant(cloud: Cloud, endpoint: str) -> None:
    """A variant that the endpoint does not have is refused, and nothing changes."""
    _, message = refused(
        lambda: cloud.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint,
            DesiredWeightsAndCapacities=[{"VariantName": "none", "DesiredWeight": 1}],
        )
    )
    assert message.startswith("Variant none does not exist")
    described = cloud.sagemaker.describe_endpoint(EndpointName=endpoint)
    assert described["EndpointStatus"] == "InService"


def test_an_update_replaces_the_fleet(cloud: Cloud, rival: str) -> None:
    """After UpdateEndpoint the new configuration answers, and the old servers have ended."""
    host(cloud, "updated", variant("a", "trained"))
    before = score(cloud, "updated")
    configure(cloud, "updated-2", variant("a", rival))
    cloud.sagemaker.update_endpoint(EndpointName="updated", EndpointConfigName="updated-2")
    described = settled(cloud, "updated")
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "updated-2"
    assert "FailureReason" not in described
    assert score(cloud, "updated") != before


def test_the_old_fleet_answers_during_an_update(slow_cloud: Cloud) -> None:
    """While Updating, invocations are answered and further changes are refused."""
    cloud = slow_cloud
    host(cloud, "busy", variant("a", "trained"))
    cloud.sagemaker.update_endpoint(EndpointName="busy", EndpointConfigName="busy")
    described = cloud.sagemaker.describe_endpoint(EndpointName="busy")
    assert described["EndpointStatus"] == "Updating"
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == "busy"
    assert score(cloud, "busy")
    in_progress = f'Cannot update in-progress endpoint "{ARN}:endpoint/busy".'
    weights = [{"VariantName": "a", "DesiredWeight": 1}]
    for call in (
        lambda: cloud.sagemaker.update_endpoint(EndpointName="busy", EndpointConfigName="busy"),
        lambda: cloud.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="busy", DesiredWeightsAndCapacities=weights
        ),
        lambda: cloud.sagemaker.delete_endpoint(EndpointName="busy"),
    ):
        assert refused(call) == ("ValidationException", in_progress)
    assert "PendingDeploymentSummary" not in settled(cloud, "busy")


def create_broken(cloud: Cloud, name: str) -> None:
    """Creates a model whose artifact is no archive."""
    cloud.put(f"{name}/model.tar.gz", b"no archive")
    image = cloud.sagemaker.describe_model(ModelName="trained")["PrimaryContainer"]["Image"]
    cloud.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": image, "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz"},
        ExecutionRoleArn=ROLE,
    )


def test_a_failed_endpoint_can_only_be_deleted(cloud: Cloud) -> None:
    """Neither a new configuration nor other weights revive one that never came to serve."""
    create_broken(cloud, "never-serves")
    configure(cloud, "never-serves", variant("a", "never-serves"))
    cloud.sagemaker.create_endpoint(EndpointName="never-serves", EndpointConfigName="never-serves")
    assert cloud.wait_for_endpoint("never-serves")["EndpointStatus"] == "Failed"
    configure(cloud, "would-serve", variant("a", "trained"))
    weights = [{"VariantName": "a", "DesiredWeight": 1}]
    for call in (
        lambda: cloud.sagemaker.update_endpoint(
            EndpointName="never-serves", EndpointConfigName="would-serve"
        ),
        lambda: cloud.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="never-serves", DesiredWeightsAndCapacities=weights
        ),
    ):
        code, message = refused(call)
        assert code == "ValidationException"
        assert "in status Failed; it can only be deleted" in message
    described = cloud.sagemaker.describe_endpoint(EndpointName="never-serves")
    assert described["EndpointStatus"] == "Failed"
    cloud.sagemaker.delete_endpoint(EndpointName="never-serves")


def test_a_failed_update_rolls_back(cloud: Cloud) -> None:
    """A fleet that does not come to serve leaves the old one in service, and says why."""
    host(cloud, "rolls", variant("a", "trained"))
    before = score(cloud, "rolls")
    create_broken(cloud, "rolls-broken")
    configure(cloud, "rolls-2", variant("a", "rolls-broken"))
    cloud.sagemaker.update_endpoint(EndpointName="rolls", EndpointConfigName="rolls-2")
    described = settled(cloud, "rolls")
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "rolls"
    assert "Failed to extract model data archive" in described["FailureReason"]
    assert score(cloud, "rolls") == before


def test_an_update_may_retain_weights(cloud: Cloud, rival: str) -> None:
    """RetainAllVariantProperties keeps weights and counts, but for what is excluded."""
    host(cloud, "keeps", variant("a", "trained", InitialVariantWeight=5))
    configure(cloud, "keeps-2", variant("a", rival, InitialInstanceCount=3))
    cloud.sagemaker.update_endpoint(
        EndpointName="keeps",
        EndpointConfigName="keeps-2",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredInstanceCount"}],
    )
    described = settled(cloud, "keeps")["ProductionVariants"][0]
    assert (described["CurrentWeight"], described["CurrentInstanceCount"]) == (5, 3)


@pytest.mark.parametrize("kind", ["CANARY", "LINEAR"])
def test_shifting_traffic_step_by_step_is_refused(cloud: Cloud, endpoint: str, kind: str) -> None:
    """A canary or linear deployment is not available, and says so."""
    routing = {"Type": kind, "WaitIntervalInSeconds": 60}
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    _, message = refused(
        lambda: cloud.sagemaker.update_endpoint(
            EndpointName=endpoint, EndpointConfigName=endpoint, DeploymentConfig=policy
        )
    )
    assert f"'{kind}'" in message
    assert "not available locally" in message


def capture_config(**changes: Any) -> dict[str, Any]:
    """A DataCaptureConfig that captures everything."""
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    } | changes


def captured(cloud: Cloud, endpoint: str, count: int = 1) -> list[tuple[str, dict[str, Any]]]:
    """The keys and lines of an endpoint's captures, once there are so many."""

    def look() -> list[tuple[str, dict[str, Any]]] | None:
        listed = cloud.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"captured/{endpoint}/")
        lines = [
            (item["Key"], json.loads(line))
            for item in listed.get("Contents", [])
            for line in cloud.read(item["Key"]).splitlines()
        ]
        return lines if len(lines) >= count else None

    lines: list[tuple[str, dict[str, Any]]] = until(look)
    return lines


def test_captures_are_lines_by_hour(cloud: Cloud) -> None:
    """A capture is a JSON line in ENDPOINT/VARIANT/yyyy/mm/dd/hh, with request and answer."""
    host(cloud, "captures", variant("a", "trained"), DataCaptureConfig=capture_config())
    described = cloud.sagemaker.describe_endpoint(EndpointName="captures")["DataCaptureConfig"]
    assert described["CaptureStatus"] == "Started"
    answer = cloud.invoke(
        "captures", ROW, InferenceId="order-7", CustomAttributes="trace=1", Accept="text/csv"
    )
    prediction = answer["Body"].read().decode()

    [(key, line)] = captured(cloud, "captures")
    assert len(key.split("/")) == 8
    assert key.startswith("captured/captures/a/20")
    assert key.endswith(".jsonl")
    assert line["captureData"] == {
        "endpointInput": {
            "observedContentType": "text/csv",
            "mode": "INPUT",
            "data": ROW,
            "encoding": "CSV",
        },
        "endpointOutput": {
            "observedContentType": "text/csv",
            "mode": "OUTPUT",
            "data": prediction,
            "encoding": "CSV",
        },
    }
    event = line["eventMetadata"]
    assert (event["inferenceId"], event["customAttributes"]) == ("order-7", ["trace=1"])
    assert line["eventVersion"] == "0"


def test_captures_without_a_header_are_base64(cloud: Cloud) -> None:
    """What no CaptureContentTypeHeader names is encoded as base64; deleting uploads the rest."""
    config = capture_config(CaptureOptions=[{"CaptureMode": "Input"}])
    del config["CaptureContentTypeHeader"]
    host(cloud, "encodes", variant("a", "trained"), DataCaptureConfig=config)
    score(cloud, "encodes")
    cloud.sagemaker.delete_endpoint(EndpointName="encodes")
    [(_, line)] = captured(cloud, "encodes")
    assert set(line["captureData"]) == {"endpointInput"}
    given = line["captureData"]["endpointInput"]
    assert given["encoding"] == "BASE64"
    assert base64.b64decode(given["data"]).decode() == ROW


def test_capture_can_be_switched_off(cloud: Cloud) -> None:
    """A sampling percentage of 0, or capture that is disabled, captures nothing."""
    sampled = capture_config(InitialSamplingPercentage=0)
    host(cloud, "never", variant("a", "trained"), DataCaptureConfig=sampled)
    disabled = capture_config(EnableCapture=False)
    host(cloud, "off", variant("a", "trained"), DataCaptureConfig=disabled)
    described = cloud.sagemaker.describe_endpoint(EndpointName="off")["DataCaptureConfig"]
    assert described["CaptureStatus"] == "Stopped"
    for name in ("never", "off"):
        score(cloud, name)
        cloud.sagemaker.delete_endpoint(EndpointName=name)
        listed = cloud.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"captured/{name}/")
        assert listed["KeyCount"] == 0
