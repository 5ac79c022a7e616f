"""What EventBridge tells of executions."""

import json
import time

from tests.localcloud.stepfunctions.machines import LONG, PASS, Bench, jsonata


def test_status_changes_reach_event_bridge(bench: Bench) -> None:
    """RUNNING and each kind of end are sent as events."""
    queues, rules = bench.cloud.client("sqs"), bench.cloud.client("events")
    url = queues.create_queue(QueueName="statuses")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]},
    }
    rules.put_rule(Name="statuses", EventPattern=json.dumps(pattern))
    rules.put_targets(Rule="statuses", Targets=[{"Id": "q", "Arn": arn["QueueArn"]}])
    expected = {}
    for definition, status in (
        (jsonata("A", A=PASS), "SUCCEEDED"),
        (jsonata("A", A={"Type": "Fail", "Error": "E"}), "FAILED"),
        (jsonata("A", A=LONG) | {"TimeoutSeconds": 1}, "TIMED_OUT"),
    ):
        execution = bench.start(definition)
        assert bench.finish(execution).status == status
        expected[execution] = status
    aborted = bench.start(jsonata("A", A=LONG))
    bench.states.stop_execution(executionArn=aborted)
    expected[aborted] = "ABORTED"
    found: dict[str, str] = {}
    deadline = time.monotonic() + 5
    while not expected.items() <= found.items() and time.monotonic() < deadline:
        received = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in received.get("Messages", []):
            detail = json.loads(message["Body"])["detail"]
            found[detail["executionArn"]] = detail["status"]
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    rules.remove_targets(Rule="statuses", Ids=["q"])
    assert expected.items() <= found.items()
