"""Functions that cannot start, and custom resources that fail."""

import json
import uuid
from typing import Any

import pytest

from localcloud import Cloud
from tests.localcloud.stepfunctions.machines import ROLE, bundle


def invoke(cloud: Cloud, source: str, handler: str = "index.handler") -> dict[str, Any]:
    """Create a function from a source and invoke it twice; the second answer's payload."""
    functions = cloud.client("lambda")
    name = f"f-{uuid.uuid4().hex[:8]}"
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler=handler,
        Code={"ZipFile": bundle(source)},
    )
    functions.invoke(FunctionName=name)
    answer = functions.invoke(FunctionName=name)
    assert answer["FunctionError"] == "Unhandled"
    payload: dict[str, Any] = json.load(answer["Payload"])
    return payload


@pytest.mark.parametrize(
    ("source", "handler", "error", "said"),
    [
        ("import absent_module", "index.handler", "Runtime.ImportModuleError", "absent_module"),
        ("x = 1", "index.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing"),
        ("def handler(", "index.handler", "Runtime.UserCodeSyntaxError", "Syntax error"),
        ("raise OSError('at import')", "index.handler", "OSError", "at import"),
        ("x = 1", "absent.handler", "Runtime.ImportModuleError", "No module named 'absent'"),
    ],
)
def test_a_function_that_cannot_start(
    running_cloud: Cloud, source: str, handler: str, error: str, said: str
) -> None:
    """A module or handler that is not there has the error type Lambda gives, at every call."""
    payload = invoke(running_cloud, source, handler)
    assert payload["errorType"] == error
    assert said in payload["errorMessage"]


def template(source: str, **properties: Any) -> dict[str, Any]:
    """A stack with a custom resource and its function."""
    return {
        "Resources": {
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": ROLE,
                    "Timeout": 10,
                    "Code": {"ZipFile": source},
                },
            },
            "Custom": {
                "Type": "Custom::Thing",
                "Properties": {
                    "ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]},
                    **properties,
                },
            },
        },
        "Outputs": {"Given": {"Value": {"Fn::GetAtt": ["Custom", "Given"]}}},
    }


ANSWERING = """
import json, urllib.request
import boto3

def handler(event, context):
    body = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    body |= {"Status": "SUCCESS", "PhysicalResourceId": "thing", "Data": {"Given": "value"}}
    boto3.client("sqs").send_message(
        QueueUrl=event["ResourceProperties"]["Queue"], MessageBody=event["RequestType"]
    )
    request = urllib.request.Request(
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT"
    )
    urllib.request.urlopen(request)
"""


def test_a_custom_resource_is_called_on_create_and_delete(running_cloud: Cloud) -> None:
    """Its function gets both requests and its data reaches the outputs; each answer is final."""
    formation, queues = running_cloud.client("cloudformation"), running_cloud.client("sqs")
    url = queues.create_queue(QueueName="requests")["QueueUrl"]
    body = json.dumps(template(ANSWERING, Queue=url))
    formation.create_stack(StackName="custom", TemplateBody=body)
    (stack,) = formation.describe_stacks(StackName="custom")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Outputs"][0]["OutputValue"] == "value"
    formation.delete_stack(StackName="custom")
    received = []
    for _ in range(2):
        (message,) = queues.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]
        received.append(message["Body"])
        queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert received == ["Create", "Delete"]


def test_a_custom_resource_whose_function_raises_fails_at_once(running_cloud: Cloud) -> None:
    """The stack fails with the function's error instead of waiting for an hour."""
    formation = running_cloud.client("cloudformation")
    body = json.dumps(template("def handler(event, context):\n    raise KeyError('Endpoints')\n"))
    formation.create_stack(StackName="raising", TemplateBody=body)
    (stack,) = formation.describe_stacks(StackName="raising")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    events = formation.describe_stack_events(StackName="raising")["StackEvents"]
    assert any("KeyError" in event.get("ResourceStatusReason", "") for event in events)
