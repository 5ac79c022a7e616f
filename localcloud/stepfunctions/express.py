"""Express workflows: started many times under one name, told of by logs alone.

Rules: https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html and the
references of StartExecution and StartSyncExecution.
"""

import contextvars
import datetime as dt
import math
import threading
import uuid
from collections.abc import Iterator
from typing import Any

from localcloud.stepfunctions import executions

# https://aws.amazon.com/step-functions/pricing: by 100 ms and 64 MB.
_BILLED_MILLISECONDS = 100
_BILLED_MEGABYTES = 64
_UNSUPPORTED = (".waitForTaskToken", ".sync", ".sync:2")


def start(machine: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Answer StartExecution of an express machine: every call is an execution of its own."""
    record = _record(machine, data)
    scope = contextvars.copy_context()  # the account and region of the request
    threading.Thread(
        target=scope.run, args=(executions.begin, record, 0, dict(machine)), daemon=True
    ).start()
    return {"executionArn": record["executionArn"], "startDate": record["startDate"]}


def start_sync(machine: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Answer StartSyncExecution: when the execution has ended, with how."""
    record = _record(machine, data)
    executions.begin(record, 0, dict(machine))
    began, ended = (
        dt.datetime.fromisoformat(record[each].replace("Z", "+00:00"))
        for each in ("startDate", "stopDate")
    )
    periods = math.ceil((ended - began) / dt.timedelta(milliseconds=_BILLED_MILLISECONDS)) or 1
    told = ("executionArn", "stateMachineArn", "name", "startDate", "stopDate", "status", "input")
    found = {each: record[each] for each in told}
    found |= {each: record[each] for each in ("output", "error", "cause") if record.get(each)}
    return found | {
        "inputDetails": {"included": True},
        "outputDetails": {"included": True},
        "billingDetails": {
            "billedDurationInMilliseconds": periods * _BILLED_MILLISECONDS,
            "billedMemoryUsedInMB": _BILLED_MEGABYTES,
        },
    }


def _record(machine: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    arn, name = machine["stateMachineArn"], data.get("name") or str(uuid.uuid4())
    execution = arn.replace(":stateMachine:", ":express:", 1) + f":{name}:{uuid.uuid4()}"
    return executions.new_record(execution, arn, name, data.get("input", "{}"))


def unsupported(definition: dict[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    """What an express machine may not hold, each with its place."""
    for name, state in (definition.get("States") or {}).items():
        if not isinstance(state, dict):
            continue
        here = f"{at}/States/{name}"
        resource = str(state.get("Resource", ""))
        if ":activity:" in resource:
            yield "Express state machine does not support Activity ARN", f"{here}/Resource"
        for pattern in _UNSUPPORTED:
            if state.get("Type") == "Task" and resource.endswith(pattern):
                plain = pattern.partition(":")[0]
                message = f"Express state machine does not support '{plain}' service integration"
                yield message, f"{here}/Resource"
        for field in ("ItemProcessor", "Iterator"):
            if isinstance(inner := state.get(field), dict):
                if inner.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
                    yield "Express state machine does not support Distributed Map", here
                yield from unsupported(inner, f"{here}/{field}")
        for index, branch in enumerate(state.get("Branches") or []):
            yield from unsupported(branch, f"{here}/Branches[{index}]")
