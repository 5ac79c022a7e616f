"""The logs of state machines."""

import json
import time
from typing import Any

from tests.localcloud.stepfunctions.machines import PASS, Bench, jsonata


def test_logs_reach_cloudwatch(bench: Bench) -> None:
    """A machine that logs writes its events to its log group."""
    logs = bench.cloud.client("logs")
    group = "/aws/vendedlogs/states/probe"
    logs.create_log_group(logGroupName=group)
    where = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    machine = bench.machine(
        jsonata("A", A=PASS),
        loggingConfiguration={
            "level": "ALL",
            "includeExecutionData": True,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": where}}],
        },
    )
    started = bench.states.start_execution(stateMachineArn=machine, input='{"a": 1}')
    types = bench.finish(started["executionArn"]).types
    deadline = time.monotonic() + 5
    lines: list[dict[str, Any]] = []
    while len(lines) < len(types) and time.monotonic() < deadline:
        events = logs.filter_log_events(logGroupName=group)["events"]
        lines = [json.loads(event["message"]) for event in events]
        time.sleep(0.05)
    assert [line["type"] for line in lines] == types
    assert {line["execution_arn"] for line in lines} == {started["executionArn"]}
    assert json.loads(lines[0]["details"]["input"]) == {"a": 1}
