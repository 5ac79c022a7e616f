"""Faults on purpose: which calls they befall, what the caller sees, and whether the call counts."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.asgi import Message, Receive, Scope, Send
from localcloud.environment_variables import PIPELINE_APP_ID
from localcloud.gateway import faults


class Service:
    """An app that notes the calls that took effect and answers them."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        self.bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


def scope(service: str = "sagemaker", **more: Any) -> dict[str, Any]:
    """A call as boto3 makes it within the pipeline."""
    headers = {
        "user-agent": f"Boto3/1 app/{PIPELINE_APP_ID}",
        "authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}"
        "/aws4_request, SignedHeaders=host, Signature=0",
        **more.pop("headers", {}),
    }
    return {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        **more,
    }


def target(name: str, **more: Any) -> dict[str, Any]:
    """A call of one of SageMaker's operations."""
    return scope(headers={"x-amz-target": f"SageMaker.{name}", **more})


def call(app: faults.FaultInjection, request: Scope, body: bytes = b"{}") -> tuple[int, bytes]:
    """Make a call; return the status and the body that the caller sees."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(request, receive, send))
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent)


def control(app: faults.FaultInjection, request: object) -> tuple[int, Any]:
    """Set the faults of an app."""
    body = json.dumps(request).encode()
    wanted = scope(path=faults.CONTROL_PATH, headers={"content-type": "application/json"})
    status, answer = call(app, wanted, body)
    return status, json.loads(answer)


def injecting(*wanted: dict[str, Any]) -> tuple[faults.FaultInjection, Service]:
    """An app with these faults of SageMaker's CreateModel, and what lies behind it."""
    service = Service()
    app = faults.FaultInjection(service)
    given = [{"service": "sagemaker", "operation": "CreateModel", **each} for each in wanted]
    status, answer = control(app, {"faults": given})
    assert status == 200, answer
    return app, service


@pytest.mark.parametrize(
    ("fault", "code", "took_effect"),
    [
        ({"fault": "fail"}, (500, "InternalFailure"), False),
        ({"fault": "throttle"}, (400, "ThrottlingException"), False),
        ({"fault": "hang", "seconds": 0.01}, (500, "InternalFailure"), False),
        ({"fault": "lost-answer"}, (500, "InternalFailure"), True),
        (
            {"fault": "fail", "error": "ResourceLimitExceeded"},
            (400, "ResourceLimitExceeded"),
            False,
        ),
        ({"fault": "fail", "error": "Odd", "status": 503}, (503, "Odd"), False),
    ],
)
def test_each_fault_does_what_it_says(
    fault: dict[str, Any], code: tuple[int, str], took_effect: bool
) -> None:
    """The caller sees an error of the service's own kind; only a lost answer has an effect."""
    app, service = injecting({"nth": 1, **fault})
    status, body = call(app, target("CreateModel"), b'{"ModelName": "m"}')
    assert (status, json.loads(body)["__type"]) == code
    assert service.bodies == ([b'{"ModelName": "m"}'] if took_effect else [])


def test_the_nth_and_every_call_are_counted_from_one() -> None:
    """Other operations do not count."""
    app, _ = injecting({"nth": 2, "fault": "fail"}, {"every": 3, "fault": "throttle"})
    seen = []
    for _ in range(6):
        assert call(app, target("CreateEndpoint"))[0] == 200
        seen.append(call(app, target("CreateModel"))[0])
    assert seen == [200, 500, 400, 200, 200, 400]


def test_only_the_pipelines_own_calls_count() -> None:
    """A person's AWS command line and the tests' clients are never disturbed."""
    app, service = injecting({"every": 1, "fault": "fail"})
    theirs = target("CreateModel", **{"user-agent": "aws-cli/2"})
    assert call(app, theirs) == (200, b"done")
    assert len(service.bodies) == 1


def test_a_fault_can_be_about_one_run() -> None:
    """By a text in the address or the body."""
    app, _ = injecting({"every": 1, "fault": "fail", "containing": "run-a"})
    assert call(app, target("CreateModel"), b'{"ModelName": "spine-run-b"}')[0] == 200
    assert call(app, target("CreateModel"), b'{"ModelName": "spine-run-a"}')[0] == 500


@pytest.mark.parametrize(
    ("request_scope", "expected"),
    [
        (target("CreateModel"), ("sagemaker", "CreateModel")),
        (
            scope("states", headers={"x-amz-target": "AWSStepFunctions.StartExecution"}),
            ("stepfunctions", "StartExecution"),
        ),
        (scope(path="/endpoints/e/invocations"), ("sagemaker-runtime", "InvokeEndpoint")),
        (
            scope("lambda", path="/2015-03-31/functions/f/invocations"),
            ("lambda", "Invoke"),
        ),
        (scope("s3", method="GET", path="/b/k/x.csv"), ("s3", "GetObject")),
        (scope("s3", method="PUT", path="/b/k"), ("s3", "PutObject")),
        (scope("s3", method="HEAD", path="/b/k"), ("s3", "HeadObject")),
        (
            scope("s3", method="GET", path="/b", query_string=b"list-type=2&prefix=k"),
            ("s3", "ListObjectsV2"),
        ),
        (
            scope("s3", method="PUT", path="/b/k", query_string=b"partNumber=1&uploadId=u"),
            ("s3", "UploadPart"),
        ),
        (
            scope("s3", path="/b/k", query_string=b"uploadId=u"),
            ("s3", "CompleteMultipartUpload"),
        ),
    ],
)
def test_services_and_operations_are_told_apart(
    request_scope: dict[str, Any], expected: tuple[str, str]
) -> None:
    """By what the SDKs send, in each protocol."""
    assert faults.identify(request_scope) == expected


def test_an_s3_error_is_xml() -> None:
    """As its clients expect it; throttling is SlowDown there."""
    app = faults.FaultInjection(Service())
    control(app, [{"service": "s3", "operation": "*", "every": 1, "fault": "throttle"}])
    status, body = call(app, scope("s3", method="GET", path="/b/k"))
    assert status == 503
    assert b"<Code>SlowDown</Code>" in body


def test_calls_are_recorded_when_asked() -> None:
    """That is how a test learns which calls a run makes."""
    app = faults.FaultInjection(Service())
    control(app, {"record": True})
    call(app, target("CreateModel"))
    _, body = call(app, scope(method="GET", path=faults.CONTROL_PATH))
    assert json.loads(body)["calls"] == [{"service": "sagemaker", "operation": "CreateModel"}]


def test_a_page_in_a_browser_cannot_set_faults() -> None:
    """It can send plain text across origins, but no JSON."""
    app = faults.FaultInjection(Service())
    wanted = scope(path=faults.CONTROL_PATH, headers={"content-type": "text/plain"})
    assert call(app, wanted, b"[]")[0] == 415


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "Give a list"),
        ([1], "fault 1: must be an object"),
        ([{"service": "s3"}], "fault 1: operation is needed"),
        (
            [{"service": "s3", "operation": "*", "fault": "explode", "nth": 1}],
            "fault is 'explode'; it must be one of fail, throttle, hang, lost-answer",
        ),
        ([{"service": "s3", "operation": "*", "fault": "fail"}], "give nth or every"),
        (
            [{"service": "s3", "operation": "*", "fault": "fail", "nth": 1, "every": 1}],
            "give nth or every",
        ),
        ([{"service": "s3", "operation": "*", "fault": "fail", "nth": 0}], "nth is 0"),
        ([{"service": "s3", "operation": "*", "fault": "fail", "nth": True}], "nth is True"),
        ([{"service": "s3", "sevice": "s3"}], "sevice is no field. Known: service"),
        (
            [{"service": "s3", "operation": "*", "fault": "hang", "nth": 1, "seconds": -1}],
            "seconds is -1",
        ),
    ],
)
def test_a_wrong_fault_is_refused_by_name(given: object, says: str, tmp_path: Path) -> None:
    """In a file as over the control address."""
    path = tmp_path / "faults.json"
    path.write_text(json.dumps(given))
    with pytest.raises(faults.FaultError) as refused:
        faults.read(path)
    assert says in str(refused.value)


def test_a_file_that_is_not_there_or_no_json_is_refused(tmp_path: Path) -> None:
    """By its path."""
    with pytest.raises(faults.FaultError, match="cannot be read"):
        faults.read(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    broken.write_text("[")
    with pytest.raises(faults.FaultError, match="is no JSON"):
        faults.read(broken)
