"""The results of a Map Run: the state's output, or files in S3.

Rules: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html. A failed
child's result is its execution, whatever the transformation.
"""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import (
    StateCredentials,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment

from localcloud.stepfunctions import map_failures
from localcloud.stepfunctions.clients import client_for

_PENDING = "PENDING"
_FILES = ("FAILED", _PENDING, "SUCCEEDED")


def of(env: Environment, state: Any, arn: str, children: list[Any]) -> Any:
    """The output of a Map state whose run is over.

    Raises:
        FailureEventException: `States.ResultWriterFailed`: S3 refused the files.
    """
    written = state.options.get("ResultWriter") or {}
    config = written.get("WriterConfig", {})
    exported = state.result_writer is not None
    how = config.get("Transformation", "NONE" if exported else "COMPACT")
    as_lines = config.get("OutputType") == "JSONL"
    if not exported:
        results = _transformed(children, how)
        return "\n".join(map(_text, results)) if as_lines else results
    state.result_writer.parargs.eval(env=env)
    where = env.stack.pop()
    prefix = str(where.get("Prefix", "")).rstrip("/")
    folder = "/".join(part for part in (prefix, arn.rpartition(":")[2]) if part)
    files: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _FILES}
    details = env.aws_execution_details
    client: Any = client_for(details.region, "s3", StateCredentials(role_arn=details.role_arn))
    manifest = {"DestinationBucket": where["Bucket"], "MapRunArn": arn, "ResultFiles": files}
    try:
        for kind in _FILES:
            of_kind = [child for child in children if _file_of(child.status) == kind]
            if not of_kind:
                continue
            results = _transformed(of_kind, how)
            body = "\n".join(map(_text, results)) if as_lines else _text(results)
            key = f"{folder}/{kind}_0.{'jsonl' if as_lines else 'json'}"
            client.put_object(Bucket=where["Bucket"], Key=key, Body=body.encode())
            files[kind].append({"Key": key, "Size": len(body.encode())})
        key = f"{folder}/manifest.json"
        client.put_object(Bucket=where["Bucket"], Key=key, Body=_text(manifest).encode())
    except (ClientError, BotoCoreError) as error:
        raise map_failures.failure(
            env, StatesErrorNameType.StatesResultWriterFailed, str(error)
        ) from error
    return {"MapRunArn": arn, "ResultWriterDetails": {"Bucket": where["Bucket"], "Key": key}}


def _file_of(status: str) -> str:
    return status if status in ("SUCCEEDED", _PENDING) else "FAILED"


def _transformed(children: list[Any], how: str) -> list[Any]:
    results: list[Any] = []
    for child in children:
        if how == "NONE" or child.status != "SUCCEEDED":
            results.append(_execution(child))
            continue
        output = json.loads(child.record["output"])
        if how == "FLATTEN" and isinstance(output, list):
            results += output
        else:
            results.append(output)
    return results


def _execution(child: Any) -> dict[str, Any]:
    """A child's execution, as the files of results show it."""
    record, status = child.record, child.status
    found = {
        "ExecutionArn": record["executionArn"],
        "Input": record["input"],
        "InputDetails": {"Included": True},
        "Name": record["name"],
        "RedriveCount": record.get("redriveCount", 0),
        "StartDate": record["startDate"],
        "StateMachineArn": record["stateMachineArn"],
        "Status": status,
        "StopDate": record["stopDate"],
    }
    if status == "SUCCEEDED":
        found |= {
            "Output": record["output"],
            "OutputDetails": {"Included": True},
            "RedriveStatus": "NOT_REDRIVABLE",
            "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        }
    else:
        found |= {name.capitalize(): record.get(name) for name in ("error", "cause")}
        found["RedriveStatus"] = "REDRIVABLE_BY_MAP_RUN"
    return {key: found[key] for key in sorted(found) if found[key] is not None}


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
