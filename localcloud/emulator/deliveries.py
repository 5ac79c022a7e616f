"""EventBridge's deliveries to functions and state machines: repeated, and given up, as on AWS.

The rules ("Event retry policy and using dead-letter queues" in its user guide): what cannot succeed
(no such target, no permission) is not tried again; all else is, for `MaximumEventAgeInSeconds` and
`MaximumRetryAttempts` of the target's `RetryPolicy`, a day and 185 times unless it says less. An
event that is given up goes to the target's dead-letter queue, with attributes that say why. A
function's own failures are Lambda's matter (`localcloud.emulator.asynchronous`): the event has been
delivered. AWS does not say how long it waits between two tries; here it is a second at first, eight
minutes at last, all of it shortened as Lambda's waiting is.
"""

import contextvars
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, sqs, stepfunctions

from localcloud import hooks
from localcloud.emulator import asynchronous, keys

_log = logging.getLogger(__name__)
_EVENTBRIDGE = "ministack.services.eventbridge"
_SERVICE = "events.amazonaws.com"

_MOST_RETRIES = 185
_MOST_AGE = 24 * 3600
_LONGEST_WAIT = 480.0
# Step Functions' refusals by the codes of dead letters; the others may pass.
_FINAL = {
    "StateMachineDoesNotExist": "NO_RESOURCE",
    "StateMachineDeleting": "NO_RESOURCE",
    "ExecutionAlreadyExists": "RESOURCE_ALREADY_EXISTS",
    "InvalidArn": "INVALID_PARAMETER",
    "InvalidExecutionInput": "INVALID_JSON",
    "InvalidName": "INVALID_PARAMETER",
    "ValidationException": "INVALID_PARAMETER",
}


class _RefusedError(Exception):
    """A target did not take an event; says whether it may later."""

    def __init__(self, code: str, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.code = code
        self.final = final


@dataclass(frozen=True)
class _Way:
    """From a rule, or a schedule, to one of its targets."""

    rule: dict[str, Any]
    target: dict[str, Any]

    @property
    def source(self) -> str:
        return str(self.rule.get("Arn", ""))


_way: contextvars.ContextVar[_Way | None] = contextvars.ContextVar("_way", default=None)


@hooks.around(
    f"{_EVENTBRIDGE}:_invoke_target",
    reason="what a target does not take is lost, whatever its retry policy and dead-letter queue",
)
def _remembering(
    invoke: Callable[..., None], target: dict[str, Any], event: Any, rule: Any, view: Any = None
) -> None:
    """Remember which target of which rule it is, for what is to be done if it fails."""
    token = _way.set(_Way(rule, target))
    try:
        invoke(target, event, rule, view)
    finally:
        _way.reset(token)


@hooks.replaces(f"{_EVENTBRIDGE}:_dispatch_to_lambda", reason="a function's failure is final")
def _to_function(arn: str, payload: str) -> None:
    _deliver(arn, payload, _call_function)


@hooks.replaces(f"{_EVENTBRIDGE}:_dispatch_to_stepfunctions", reason="a refused start is lost")
def _to_machine(arn: str, payload: str) -> None:
    _deliver(arn, payload, _start_execution)


def _deliver(arn: str, payload: str, give: Callable[[str, str, _Way], None]) -> None:
    way = _way.get() or _Way({}, {"Arn": arn})
    refused = _tried(arn, payload, way, give)
    if refused is None:
        return
    if refused.final:
        _bury(arn, payload, way, refused)
        return
    scope = contextvars.copy_context()  # the account and region of the event
    threading.Thread(
        target=scope.run, args=(_try_again, arn, payload, way, give, refused), daemon=True
    ).start()


def _tried(
    arn: str, payload: str, way: _Way, give: Callable[[str, str, _Way], None]
) -> _RefusedError | None:
    try:
        give(arn, payload, way)
    except _RefusedError as refused:
        return refused
    except Exception as error:  # noqa: BLE001 - whatever it is, it may pass
        _log.warning("An event did not reach %s", arn, exc_info=True)
        return _RefusedError("INTERNAL_ERROR", str(error), final=False)
    return None


def _try_again(
    arn: str,
    payload: str,
    way: _Way,
    give: Callable[[str, str, _Way], None],
    refused: _RefusedError,
) -> None:
    policy = way.target.get("RetryPolicy") or {}
    most = int(policy.get("MaximumRetryAttempts", _MOST_RETRIES))
    oldest = int(policy.get("MaximumEventAgeInSeconds", _MOST_AGE))
    age, retries, exhausted = 0.0, 0, ""
    found: _RefusedError | None = refused
    while found is not None and not found.final and not exhausted:
        refused = found
        pause = min(2.0**retries, _LONGEST_WAIT)
        if retries >= most:
            exhausted = "MaximumRetryAttempts"
        elif age + pause > oldest:
            exhausted = "MaximumEventAgeInSeconds"
        else:
            asynchronous.wait(pause)
            retries += 1
            started = time.monotonic()
            found = _tried(arn, payload, way, give)
            age += pause + time.monotonic() - started
    if found is not None:
        _bury(arn, payload, way, found, retries=retries, exhausted=exhausted)


def _bury(
    arn: str,
    payload: str,
    way: _Way,
    refused: _RefusedError,
    *,
    retries: int = 0,
    exhausted: str = "",
) -> None:
    """Send an event that was given up to its target's dead-letter queue, if there is one."""
    queue = (way.target.get("DeadLetterConfig") or {}).get("Arn")
    _log.warning("EventBridge gives up an event for %s: %s (%s)", arn, refused.code, refused)
    if not queue or not sqs.queue_policy_allows(queue, _SERVICE, way.source, get_account_id()):
        return
    attributes = {
        "RULE_ARN": way.source,
        "TARGET_ARN": arn,
        "ERROR_CODE": refused.code,
        "ERROR_MESSAGE": str(refused)[:1024],
        "EXHAUSTED_RETRY_CONDITION": exhausted,
        "RETRY_ATTEMPTS": str(retries),
    }
    asynchronous.send(queue, payload, attributes)


@hooks.uses(
    "ministack.services.lambda_svc:_get_func_record_for_ref",
    reason="finds a function",
    parameters=("function_ref",),
)
def _call_function(arn: str, payload: str, way: _Way) -> None:
    func, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not func or not config:
        raise _RefusedError("NO_RESOURCE", f"Function not found: {name}", final=True)
    if keys.enforced() and not _may_call(func, arn, way):
        message = f"{way.source} is not authorized to perform: lambda:InvokeFunction on {arn}"
        raise _RefusedError("NO_PERMISSIONS", message, final=True)
    asynchronous.invoke(lambda_svc._execution_record_for_config(func, config), json.loads(payload))


@hooks.uses(
    "ministack.core.iam_evaluator:evaluate_resource_policy",
    reason="decides whether a rule may call a function",
    parameters=("doc", "ctx", "service", "named_only", "direct_only"),
)
def _may_call(func: dict[str, Any], arn: str, way: _Way) -> bool:
    """Whether the function's own policy lets the rule call it."""
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=arn,
        region=get_region(),
        service_context={"aws:sourcearn": way.source, "aws:sourceaccount": get_account_id()},
    )
    found = iam_evaluator.evaluate_resource_policy(func["policy"], context, service=_SERVICE)
    return bool(found.decision == "Allow")


def _start_execution(arn: str, payload: str, _: _Way) -> None:
    status, _headers, body = stepfunctions._start_execution(
        {"stateMachineArn": arn, "input": payload}
    )
    if status == 200:
        return
    answer = json.loads(body)
    code = str(answer.get("__type", "")).rpartition("#")[2]
    message = f"{code}: {answer.get('message', '')}"
    raise _RefusedError(_FINAL.get(code, "ERROR_FROM_TARGET"), message, final=code in _FINAL)
