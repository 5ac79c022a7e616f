"""The service's errors in its own words, where MiniStack has others for the same name."""

import json
from typing import Any

from ministack.services import stepfunctions

from localcloud.stepfunctions.responses import error

# By the name of an exception: what its message calls the resource, and the member that names it.
_MISSING = {
    "StateMachineDoesNotExist": ("State Machine Does Not Exist", "stateMachineArn"),
    "ExecutionDoesNotExist": ("Execution Does Not Exist", "executionArn"),
    "ActivityDoesNotExist": ("Activity Does Not Exist", "activityArn"),
}
_TAKEN = {
    "StateMachineAlreadyExists": ("State Machine Already Exists", "stateMachine"),
    "ActivityAlreadyExists": ("Activity Already Exists", "activity"),
}


def worded(answer: Any, request: dict[str, Any]) -> Any:
    """An answer as AWS words it."""
    status, _, body = answer
    if status == 200:
        return answer
    refused = json.loads(body)
    name = str(refused.get("__type", "")).rpartition("#")[2]
    if name in _MISSING and (arn := request.get(_MISSING[name][1])):
        return error(name, f"{_MISSING[name][0]}: '{arn}'")
    if name in _TAKEN:
        words, kind = _TAKEN[name]
        region, account = stepfunctions.get_region(), stepfunctions.get_account_id()
        arn = f"arn:aws:states:{region}:{account}:{kind}:{request.get('name')}"
        return error(name, f"{words}: '{arn}'")
    if name == "ExecutionAlreadyExists":
        message = str(refused.get("message"))
        return error(name, message.replace("already exists", "Already Exists"))
    return answer
