"""Running a definition on the local cloud and looking at what came of it."""

import dataclasses
import io
import itertools
import json
import time
import zipfile
from typing import Any

from localcloud import Cloud

ROLE = "arn:aws:iam::000000000000:role/probe"

# States that end a machine: late, and at once.
LONG = {"Type": "Wait", "Seconds": 60, "End": True}
PASS = {"Type": "Pass", "End": True}

# One function with the ways in which functions end.
PROBE = """
import os
import time


class MyError(Exception):
    pass


def handler(event, context):
    mode = event.get("mode")
    if mode == "raise":
        raise MyError("boom")
    if mode == "raise-timeout":
        raise TimeoutError("of its own")
    if mode == "sleep":
        time.sleep(event["seconds"])
    if mode == "exit":
        os._exit(1)
    if mode == "unserialisable":
        return {1, 2}
    if mode == "large":
        return "x" * 300_000
    if mode == "flaky":
        path = "/tmp/" + event["id"]
        count = int(open(path).read()) if os.path.exists(path) else 0
        with open(path, "w") as file:
            file.write(str(count + 1))
        if count < event["failures"]:
            raise MyError("attempt %d" % count)
        os.remove(path)
    return {"event": event, "pid": os.getpid()}
"""

_names = (f"probe-{time.time_ns()}-{number}" for number in itertools.count())


def bundle(source: str, path: str = "index.py") -> bytes:
    """A function's package holding one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        information = zipfile.ZipInfo(path)
        information.external_attr = 0o644 << 16
        archive.writestr(information, source)
    return buffer.getvalue()


@dataclasses.dataclass
class Outcome:
    """How an execution ended."""

    status: str
    output: Any
    error: str | None
    cause: str | None
    events: list[dict[str, Any]]
    seconds: float

    @property
    def types(self) -> list[str]:
        """The types of the history's events, in order."""
        return [event["type"] for event in self.events]


@dataclasses.dataclass
class Bench:
    """The local cloud with the probe function on it."""

    cloud: Cloud
    function: str

    def __post_init__(self) -> None:
        self.states = self.cloud.client("stepfunctions")

    def machine(self, definition: dict[str, Any], **options: Any) -> str:
        """Create a machine and return its ARN."""
        answer = self.states.create_state_machine(
            name=next(_names), definition=json.dumps(definition), roleArn=ROLE, **options
        )
        return str(answer["stateMachineArn"])

    def start(self, definition: dict[str, Any], given: Any = None) -> str:
        """Start an execution and return its ARN."""
        answer = self.states.start_execution(
            stateMachineArn=self.machine(definition), input=json.dumps(given or {})
        )
        return str(answer["executionArn"])

    def finish(self, execution: str, *, within: float = 20) -> Outcome:
        """Wait for an execution's end."""
        deadline = time.monotonic() + within
        while True:
            found = self.states.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                break
            assert time.monotonic() < deadline, self.history(execution)
            time.sleep(0.02)
        return Outcome(
            status=found["status"],
            output=json.loads(found["output"]) if found.get("output") else None,
            error=found.get("error"),
            cause=found.get("cause"),
            events=self.history(execution),
            seconds=(found["stopDate"] - found["startDate"]).total_seconds(),
        )

    def history(self, execution: str) -> list[dict[str, Any]]:
        """The events so far."""
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def run(self, definition: dict[str, Any], given: Any = None) -> Outcome:
        """Run a definition to its end."""
        return self.finish(self.start(definition, given))

    def task(self, payload: Any, **fields: Any) -> dict[str, Any]:
        """A JSONata state that invokes the probe function."""
        state = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": self.function, "Payload": payload},
            "Output": "{% $states.result.Payload %}",
        }
        return state | ({} if "Next" in fields else {"End": True}) | fields


def jsonata(start: str, **states: dict[str, Any]) -> dict[str, Any]:
    """A machine in JSONata; underscores in keywords stand for blanks in state names."""
    return {
        "QueryLanguage": "JSONata",
        "StartAt": start,
        "States": {name.replace("_", " "): state for name, state in states.items()},
    }


def evaluate(expression: str) -> dict[str, Any]:
    """A machine whose output is what one expression gives, under `value`."""
    return jsonata("A", A={"Type": "Pass", "Output": {"value": expression}, "End": True})
