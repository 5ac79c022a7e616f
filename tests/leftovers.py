"""What runs leave in SageMaker, and what asks for it to be removed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from spine.shipped import load
from tests.fake_sagemaker import BEGIN, FakeSageMaker

names = load("common.names")
waiting = load("cleanup.backoff")

PREFIX = "spine-dev"
START = BEGIN
LONGEST_RUN = timedelta(hours=24)
LIVE = "RUNNING"
ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


def arn(name: str) -> str:
    """Return the ARN of an execution."""
    return f"arn:aws:states:us-east-1:000000000000:execution:{PREFIX}:{name}"


def base(name: str, prefix: str = PREFIX) -> str:
    """Return what the run of an execution calls its resources."""
    result: str = names.base_name(prefix, names.run_id_of(arn(name)))
    return result


def leave(
    sagemaker: FakeSageMaker,
    name: str,
    *,
    prefix: str = PREFIX,
    endpoint: str = "InService",
    until: float = 0.0,
    job: str = "InProgress",
    keep_until: str | None = None,
) -> str:
    """Put there what a run has at its widest: two jobs, model, configuration and endpoint."""
    made = base(name, prefix)
    execution = names.execution_tag(arn(name))
    tags = {"run": names.run_id_of(arn(name)), "execution": execution, "stage": "dev"}
    sagemaker.add("training-job", f"{made}-0-0", status="Completed", **tags)
    sagemaker.add("transform-job", f"{made}-0-1", status=job, uses=(made,), **tags)
    sagemaker.add("model", made, **tags)
    sagemaker.add("endpoint-config", made, **tags)
    if keep_until:
        tags["keep_until"] = keep_until
    sagemaker.add("endpoint", made, status=endpoint, until=until, **tags)
    return made


def backoff(sagemaker: FakeSageMaker, seconds: float) -> Any:
    """Wait in the fake's virtual time."""
    return waiting.Backoff(seconds, sagemaker.sleep)


@dataclass
class Remaining:
    """What is left of a function's time: so many seconds, on a clock if there is one."""

    seconds: float
    clock: Callable[[], float] = lambda: 0.0

    def get_remaining_time_in_millis(self) -> int:
        """Return it as Lambda does."""
        return int((self.seconds - self.clock()) * 1000)


def request(kind: str, url: str, **fields: str) -> dict[str, Any]:
    """Build a CloudFormation custom resource request."""
    return {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Teardown",
        **fields,
    }
