"""A stand-in for the SageMaker process, run as a script: jobs do what their names say.

A job whose name has "slow" runs until it is stopped, one with "fail" fails, others complete at the
second look. "taken" and "quota" in a name refuse the creation. Endpoints echo. It has the command
line of the real process, so the gateway starts it in its place.
"""

import argparse
import json
import re
import time
from typing import Any

import uvicorn

JOB = re.compile(r"^(Create|Describe|Stop|List)(\w+?Job)s?$")
jobs: dict[str, dict[str, Any]] = {}


class RefusedError(Exception):
    """An error answer: code and message."""


def answer(operation: str, body: dict[str, Any]) -> dict[str, Any]:
    """Answer one SageMaker operation."""
    matched = JOB.match(operation)
    if matched and matched[1] != "List":
        return job_answer(matched[1], matched[2], body)
    if operation == "DescribeEndpoint":
        raise RefusedError(
            "ValidationException", f'Could not find endpoint "{body["EndpointName"]}".'
        )
    if operation == "CreateModel":
        return {"ModelArn": f"arn:aws:sagemaker:us-east-1:000000000000:model/{body['ModelName']}"}
    return {}


def job_answer(verb: str, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """Create, describe or stop a job."""
    name = body[f"{kind}Name"]
    if verb == "Create":
        if "taken" in name:
            raise RefusedError("ResourceInUse", "Job names must be unique")
        if "quota" in name:
            raise RefusedError("ResourceLimitExceeded", "The account-level service limit is 0")
        jobs[name] = {**body, "looks": 0, "status": "InProgress", "created": time.time()}
        return {f"{kind}Arn": f"arn:aws:sagemaker:us-east-1:000000000000:{kind.lower()}/{name}"}
    job = jobs[name]
    if verb == "Stop":
        job["status"] = "Stopped"
        return {}
    job["looks"] += 1
    if job["looks"] > 1 and job["status"] == "InProgress" and "slow" not in name:
        job["status"] = "Failed" if "fail" in name else "Completed"
    found = {f"{kind}Name": name, f"{kind}Status": job["status"], "CreationTime": job["created"]}
    return found | ({"FailureReason": "it had to"} if job["status"] == "Failed" else {})


async def app(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI app."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    target = dict(scope["headers"]).get(b"x-amz-target", b"").decode()
    status = 200
    if target:
        try:
            content = json.dumps(answer(target.split(".")[1], json.loads(body or b"{}"))).encode()
        except RefusedError as error:
            status, content = (
                400,
                json.dumps({"__type": error.args[0], "message": error.args[1]}).encode(),
            )
    else:
        content = body
    headers = [
        (b"content-type", b"application/x-amz-json-1.1"),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option in ("--uds", "--jobs", "--aws-endpoint", "--credentials"):
        parser.add_argument(option, required=True)
    uvicorn.run(app, uds=parser.parse_args().uds, lifespan="off", log_level="warning")
