"""Malformed ARNs in requests of the Step Functions API, which MiniStack says do not exist.

AWS looks at an ARN before it looks for what has it: `InvalidArn` means that the caller is wrong,
`ExecutionDoesNotExist` that the execution is gone.
"""

import re
from typing import Any

from localcloud.stepfunctions.responses import error

# Members that name a resource, with the resource types each may have (the service's model, and
# "Amazon Resource Names" of Step Functions in the Service Authorization Reference).
_MEMBERS = {
    # No operation takes an express execution's: logs alone tell of it.
    "executionArn": ("execution",),
    "stateMachineArn": ("stateMachine",),
    "stateMachineVersionArn": ("stateMachine",),
    "stateMachineAliasArn": ("stateMachine",),
    "mapRunArn": ("mapRun",),
    "activityArn": ("activity",),
}
# What follows the type: names, and of some a number or a unique part.
_PARTS = {
    "execution": 2,
    "express": 3,
    "stateMachine": 1,
    "mapRun": 2,
    "activity": 1,
}
_ARN = re.compile(
    r"arn:aws[\w-]*:states:[a-z0-9-]+:\d{12}:(?P<type>[A-Za-z]+):(?P<rest>[^:]+(?::[^:]+)*)"
)


def refusal(request: dict[str, Any]) -> Any:
    """The answer to a request that has an ARN which is none, or None."""
    for member, types in _MEMBERS.items():
        given = request.get(member)
        if not isinstance(given, str):
            continue
        if problem := _problem(given, types):
            return error("InvalidArn", f"Invalid Arn: '{problem}'")
    return None


def _problem(arn: str, types: tuple[str, ...]) -> str | None:
    if not arn.startswith("arn:"):
        return f"Invalid ARN prefix: {arn}"
    found = _ARN.fullmatch(arn.partition("#")[0])
    if found is None:
        return f"Invalid ARN: {arn}"
    kind = found["type"]
    if kind not in types:
        return f"Resource type not valid in this context: {kind}"
    parts = found["rest"].count(":") + 1
    # A version or an alias of a machine is one part more.
    if not _PARTS[kind] <= parts <= _PARTS[kind] + (kind == "stateMachine"):
        return f"Invalid ARN: {arn}"
    return None
