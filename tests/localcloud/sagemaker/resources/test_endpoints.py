"""Endpoints of several variants, how they change, what they capture."""

from collections import Counter
from typing import Any

import pytest

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    ROLE,
    Cloud,
    refused,
    until,
    variant,
)
from tests.localcloud.sagemaker.hosting import ROW, configure, host, score

ARN = "arn:aws:sagemaker:us-east-1:000000000000"


@pytest.fixture(scope="module")
def rival(cloud: Cloud) -> str:
    """A model that answers differently from `trained`."""
    short = {"num_round": "1", "objective": "binary:logistic"}
    assert cloud.train("rival", HyperParameters=short)["TrainingJobStatus"] == "Completed"
    cloud.create_model("rival", job="rival")
    return "rival"


def settled(cloud: Cloud, name: str) -> Any:
    """Describes an endpoint once it is no longer changing."""

    def look() -> Any:
        found = cloud.sagemaker.describe_endpoint(EndpointName=name)
        return None if found["EndpointStatus"] in ("Updating", "RollingBack") else found

    return until(look)


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


def test_an_endpoint_in_progress_cannot_be_deleted_or_invoked(slow_cloud: Cloud) -> None:
    """While Creating or Deleting, an endpoint refuses deletion and is unknown to the runtime."""
    cloud = slow_cloud

    def check(status: str) -> None:
        assert cloud.sagemaker.describe_endpoint(EndpointName="slow")["EndpointStatus"] == status
        assert refused(lambda: cloud.sagemaker.delete_endpoint(EndpointName="slow")) == (
            "ValidationException",
            f'Cannot update in-progress endpoint "{ARN}:endpoint/slow".',
        )
        assert refused(lambda: cloud.invoke("slow", "1,2,3,4,5,6")) == (
            "ValidationError",
            "Endpoint slow of account 000000000000 not found.",
        )

    cloud.create_endpoint("slow", model="trained")
    check("Creating")
    assert cloud.wait_for_endpoint("slow")["EndpointStatus"] == "InService"
    cloud.sagemaker.delete_endpoint(EndpointName="slow")
    check("Deleting")
