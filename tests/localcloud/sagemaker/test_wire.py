"""The protocols themselves, without boto3 in between."""

import http.client
import json
import socket
from typing import Any

import botocore.session
import pytest

from tests.localcloud.sagemaker.cloud import Cloud


def post(
    cloud: Cloud, target: str, body: bytes, path: str = "/"
) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Posts to the process; returns status, headers and decoded body."""
    connection = http.client.HTTPConnection(cloud.url.removeprefix("http://"), timeout=10)
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    decoded = json.loads(answer.read())
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, decoded


def test_times_are_seconds_since_the_epoch(cloud: Cloud) -> None:
    """JSON 1.1 writes timestamps as numbers."""
    body = json.dumps({"TrainingJobName": "trained"}).encode()
    status, headers, answer = post(cloud, "SageMaker.DescribeTrainingJob", body)
    assert status == 200
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert headers["x-amzn-requestid"]
    assert isinstance(answer["CreationTime"], float)
    assert "Tags" not in answer


def test_errors_carry_their_type(cloud: Cloud) -> None:
    """An error has its type in the body and in a header."""
    status, headers, answer = post(cloud, "SageMaker.DescribeTrainingJob", b"{}")
    assert (status, answer["__type"]) == (400, "ValidationException")
    assert headers["x-amzn-errortype"] == "ValidationException"
    assert answer["message"] == (
        "1 validation error detected: Value null at 'trainingJobName' failed to satisfy "
        "constraint: Member must not be null"
    )


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        (b'{"TrainingJobName": 5}', "SerializationException", "int can not be converted to a Str"),
        (b'{"TrainingJobName": true}', "SerializationException", "bool can not be converted"),
        (b"[]", "SerializationException", "The request: list can not be converted"),
        (b"{", "SerializationException", "The body is no JSON"),
        (b'{"TrainingJobNam": "x"}', "ValidationException", "has no parameter TrainingJobNam"),
        (b'{"TrainingJobName": null}', "ValidationException", "Member must not be null"),
    ],
)
def test_malformed_requests_are_refused(cloud: Cloud, body: bytes, code: str, reason: str) -> None:
    """JSON of the wrong shape never reaches an operation."""
    status, _, answer = post(cloud, "SageMaker.DescribeTrainingJob", body)
    assert (status, answer["__type"]) == (400, code)
    assert reason in answer["message"]


@pytest.mark.parametrize("target", ["SageMaker.Nonsense", "DynamoDB_20120810.ListTables", ""])
def test_unknown_operations_are_refused(cloud: Cloud, target: str) -> None:
    """What SageMaker does not have is unknown, whatever the service."""
    status, _, answer = post(cloud, target, b"{}")
    assert (status, answer["__type"]) == (400, "UnknownOperationException")


def test_other_runtime_operations_are_refused(cloud: Cloud) -> None:
    """Asynchronous and streamed invocations are refused, not taken for plain ones."""
    _, headers, answer = post(cloud, "", b"x", "/endpoints/shared/async-invocations")
    assert headers["x-amzn-errortype"] == "ValidationError"
    assert "not available locally" in answer["Message"]


def test_the_socket_answers_as_the_port_does(cloud: Cloud) -> None:
    """The same service listens on the Unix domain socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(cloud.socket))
        connection.sendall(b"GET /_health HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert "CreateTrainingJob" in json.loads(body)["operations"]


def test_every_offered_operation_is_the_services(cloud: Cloud) -> None:
    """The operations offered exist in the service model, and are those a pipeline needs."""
    connection = http.client.HTTPConnection(cloud.url.removeprefix("http://"), timeout=10)
    connection.request("GET", "/_health")
    offered = set(json.loads(connection.getresponse().read())["operations"])
    connection.close()
    model = botocore.session.Session().get_service_model("sagemaker")
    assert offered <= set(model.operation_names)
    for noun in ("TrainingJob", "TransformJob"):
        assert {f"Create{noun}", f"Describe{noun}", f"List{noun}s", f"Stop{noun}"} <= offered
    for noun in ("Model", "EndpointConfig", "Endpoint"):
        assert {f"Create{noun}", f"Describe{noun}", f"List{noun}s", f"Delete{noun}"} <= offered
    assert {"AddTags", "ListTags", "DeleteTags"} <= offered
