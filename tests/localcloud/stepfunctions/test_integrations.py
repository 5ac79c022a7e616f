"""The aws-sdk integrations, and others that ask a service."""

import json
from typing import Any

import pytest

from tests.localcloud.stepfunctions.machines import Bench, jsonata


def sdk(action: str, arguments: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A state of an aws-sdk integration."""
    resource = f"arn:aws:states:::aws-sdk:{action}"
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True} | fields


def test_put_object_stores_an_object_as_json(bench: Bench) -> None:
    """An object as Body is stored as its JSON text, unicode as it is."""
    s3 = bench.cloud.client("s3")
    s3.create_bucket(Bucket="results")
    body = {"name": 'é "quoted"', "n": 1.5, "none": None, "list": [True]}
    put = sdk(
        "s3:putObject",
        {"Bucket": "results", "Key": "runs/m.json", "Body": "{% $states.input %}"},
        Output="{% $states.result %}",
    )
    outcome = bench.run(jsonata("A", A=put), body)
    assert outcome.status == "SUCCEEDED"
    assert "ETag" in outcome.output
    stored = s3.get_object(Bucket="results", Key="runs/m.json")["Body"].read()
    assert json.loads(stored) == body
    assert "é".encode() in stored


def test_sdk_answers_are_json(bench: Bench) -> None:
    """Dates become ISO 8601 texts in UTC and bodies become text."""
    s3 = bench.cloud.client("s3")
    s3.create_bucket(Bucket="answers")
    s3.put_object(Bucket="answers", Key="k", Body="héllo".encode())
    outcome = bench.run(jsonata("A", A=sdk("s3:getObject", {"Bucket": "answers", "Key": "k"})))
    assert outcome.output["Body"] == "héllo"
    assert outcome.output["LastModified"].endswith("Z")


def test_members_are_in_pascal_case(bench: Bench) -> None:
    """A service with members in camel case takes and gives them in Pascal case."""
    task = sdk("sfn:listStateMachines", {"MaxResults": 1})
    outcome = bench.run(jsonata("A", A=task))
    assert outcome.output["StateMachines"][0]["StateMachineArn"].startswith("arn:aws:states:")


@pytest.mark.parametrize(
    ("action", "arguments", "error"),
    [
        ("s3:getObject", {"Bucket": "absent-bucket", "Key": "k"}, "S3.NoSuchBucketException"),
        ("sagemaker:describeEndpoint", {"EndpointName": "none"}, "SageMaker.SageMakerException"),
        ("ssm:getParameter", {"Name": "/none"}, "Ssm.ParameterNotFoundException"),
    ],
)
def test_sdk_errors_have_the_sdks_names(
    bench: Bench, action: str, arguments: dict[str, Any], error: str
) -> None:
    """An error is named by service and exception, or by the service alone when not modelled."""
    outcome = bench.run(jsonata("A", A=sdk(action, arguments)))
    assert (outcome.status, outcome.error) == ("FAILED", error)


def test_invoke_endpoint_from_a_machine(bench: Bench) -> None:
    """aws-sdk:sagemakerruntime reaches the endpoint; an object goes as JSON."""
    task = sdk(
        "sagemakerruntime:invokeEndpoint",
        {"EndpointName": "e", "ContentType": "application/json", "Body": {"x": [1]}},
        Output="{% $parse($states.result.Body) %}",
    )
    assert bench.run(jsonata("A", A=task)).output == {"x": [1]}


def test_a_task_may_fail_itself_by_its_own_token(bench: Bench) -> None:
    """The answer comes before the wait for it, and is not missed until the heartbeat is over."""
    arguments = {"TaskToken": "{% $states.context.Task.Token %}", "Error": "Own", "Cause": "Why"}
    state = sdk("sfn:sendTaskFailure.waitForTaskToken", arguments, HeartbeatSeconds=15)
    done = bench.run(jsonata("A", A=state | {"TimeoutSeconds": 18}))
    assert (done.status, done.error, done.cause) == ("FAILED", "Own", "Why")
    assert done.seconds < 10
