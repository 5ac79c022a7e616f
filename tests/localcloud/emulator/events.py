"""A rule that takes events, a function that fails for them, and the queues where they end."""

import json
import time
import uuid
from typing import Any

from localcloud import Cloud

FAILING = """
import json, os, boto3

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["CALLS"], MessageBody=json.dumps(event))
    if event["detail"].get("fails", 9) > 0:
        raise RuntimeError("not today")
"""


class Queue:
    """A queue of the local cloud.

    Args:
        cloud: The local cloud.
        name: The queue's.
    """

    def __init__(self, cloud: Cloud, name: str) -> None:
        self._queues = cloud.client("sqs")
        self.url: str = self._queues.create_queue(QueueName=f"{name}-{uuid.uuid4().hex}")[
            "QueueUrl"
        ]
        attributes = self._queues.get_queue_attributes(
            QueueUrl=self.url, AttributeNames=["QueueArn"]
        )["Attributes"]
        self.arn: str = attributes["QueueArn"]

    def next(self, seconds: float = 20.0) -> dict[str, Any]:
        """The next message, with its attributes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = self._queues.receive_message(
                QueueUrl=self.url, WaitTimeSeconds=1, MessageAttributeNames=["All"]
            )
            for message in answer.get("Messages", []):
                self._queues.delete_message(
                    QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"]
                )
                return dict(message)
        raise AssertionError("nothing came")

    def is_empty(self, seconds: float = 1.0) -> bool:
        """Whether nothing comes for so long."""
        try:
            self.next(seconds)
        except AssertionError:
            return True
        return False


class Rule:
    """A rule with one target, and the events that it takes."""

    def __init__(self, cloud: Cloud, target: dict[str, Any]) -> None:
        self._events = cloud.client("events")
        self._name = f"rule-{uuid.uuid4().hex}"
        self._source = f"test.{self._name}"
        self.arn: str = self._events.put_rule(
            Name=self._name, EventPattern=json.dumps({"source": [self._source]})
        )["RuleArn"]
        self._events.put_targets(Rule=self._name, Targets=[{"Id": "one", **target}])

    def send(self, detail: dict[str, Any]) -> None:
        """Send an event that the rule takes."""
        entry = {"Source": self._source, "DetailType": "test", "Detail": json.dumps(detail)}
        self._events.put_events(Entries=[entry])
