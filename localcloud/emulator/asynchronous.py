"""Functions that are called by events: repeated, and given up, as Lambda does.

The rules ("How Lambda handles errors and retries with asynchronous invocation" in its developer
guide): an event whose function failed is tried again after one minute, and after two more, as often
as `MaximumRetryAttempts` says; one that was throttled, again and again, after a second at first and
five minutes at last. Neither goes on beyond `MaximumEventAgeInSeconds`. An event that is given up
goes to the function's destination for failures, and to its dead-letter queue.

All is as on AWS but for the waiting, which is shortened: `--retry-delay` says what becomes of the
first minute. An event's age counts as if nothing were shortened.
"""

import contextvars
import datetime as dt
import json
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import lambda_svc, sns, sqs

from localcloud import hooks
from localcloud.emulator import keys

_log = logging.getLogger(__name__)

_FIRST_WAIT = 60.0
_LONGEST_THROTTLED_WAIT = 300.0
_MOST_RETRIES = 2
_MOST_AGE = 6 * 3600
_DEFAULT_DELAY = 1.0
# Seconds here for a second on AWS.
_scale = _DEFAULT_DELAY / _FIRST_WAIT


def configure(*, retry_delay: float | None) -> None:
    """Set the seconds from a function's failure to its first retry; a minute on AWS."""
    global _scale  # noqa: PLW0603 - one gateway a process
    _scale = (retry_delay or _DEFAULT_DELAY) / _FIRST_WAIT


def wait(seconds: float) -> None:
    """Wait as long as is left here of what AWS waits."""
    time.sleep(seconds * _scale)


@hooks.uses(
    "ministack.services.lambda_svc:_execute_function_with_config_scope",
    reason="runs a function once",
    parameters=("func", "event"),
)
@hooks.replaces(
    "ministack.services.lambda_svc:invoke_async_with_retry",
    reason="waits of its own, throttled events given up, and other records of what failed",
)
def invoke(func: dict[str, Any], event: Any) -> None:
    """Have a function called for an event, without waiting for it."""
    scope = contextvars.copy_context()  # the account and region of the request
    threading.Thread(target=scope.run, args=(_carry_out, func, event), daemon=True).start()


def _carry_out(func: dict[str, Any], event: Any) -> None:
    settings = _settings(func)
    retries = settings.get("MaximumRetryAttempts")
    most_retries = _MOST_RETRIES if retries is None else int(retries)
    most_age = int(settings.get("MaximumEventAgeInSeconds") or _MOST_AGE)
    age, failures, throttles = 0.0, 0, 0
    condition = ""
    while not condition:
        started = time.monotonic()
        answer = lambda_svc._execute_function_with_config_scope(func, event)
        age += time.monotonic() - started
        if answer.get("throttle"):
            pause = min(2.0**throttles, _LONGEST_THROTTLED_WAIT)
            throttles += 1
        elif answer.get("error"):
            failures += 1
            pause = _FIRST_WAIT * failures
        else:
            return
        if failures > most_retries:
            condition = "RetriesExhausted"
        elif age + pause > most_age:
            condition = "EventAgeExceeded"
        else:
            age += pause
            wait(pause)
    _give_up(func, event, answer, condition=condition, calls=failures)


def _settings(func: Mapping[str, Any]) -> dict[str, Any]:
    """The function's `EventInvokeConfig`, for itself or for `$LATEST`."""
    found = func.get("event_invoke_configs") or {}
    settings: dict[str, Any] = found.get("") or found.get("$LATEST") or {}
    return settings


def _give_up(
    func: dict[str, Any], event: Any, answer: dict[str, Any], *, condition: str, calls: int
) -> None:
    """Send an event that was given up to where the function's settings say."""
    config = func.get("config") or func
    body = answer.get("body")
    failure = body if isinstance(body, dict) else {}
    request = failure.get("requestId", "")
    destination = (_settings(func).get("DestinationConfig") or {}).get("OnFailure") or {}
    if destination.get("Destination"):
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        record = {
            "version": "1.0",
            "timestamp": now.replace("+00:00", "Z"),
            "requestContext": {
                "requestId": request,
                "functionArn": f"{config['FunctionArn'].removesuffix(':$LATEST')}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": calls,
            },
            "requestPayload": event,
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "responsePayload": failure,
        }
        _send_as(config, destination["Destination"], json.dumps(record), {})
    queue = (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if queue:
        attributes = {
            "RequestID": request,
            "ErrorCode": "200",
            "ErrorMessage": str(failure.get("errorMessage", ""))[:1024],
        }
        _send_as(config, queue, json.dumps(event), attributes)


# What a function's role needs for each kind of destination ("Permissions required for destinations"
# in Lambda's developer guide).
_ACTIONS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}


@hooks.uses(
    "ministack.core.iam_evaluator:enforce",
    reason="decides whether a function's role may send what failed",
    parameters=(
        "access_key_id",
        "iam_action",
        "service",
        "region",
        "resource_arn",
        "service_context",
    ),
)
def _send_as(config: dict[str, Any], arn: str, body: str, attributes: Mapping[str, str]) -> None:
    """Send under the function's role, where policies decide."""
    service = _service(arn)
    if keys.enforced() and service in _ACTIONS:
        key = keys.session(config["Role"], config["FunctionName"])["AWS_ACCESS_KEY_ID"]
        denied = iam_evaluator.enforce(key, _ACTIONS[service], service, get_region(), arn, {})
        if denied is not None:
            _log.warning("%s may not send what failed to %s", config["FunctionName"], arn)
            return
    send(arn, body, attributes)


def _service(arn: str) -> str:
    return (arn.split(":") + [""] * 3)[2]


@hooks.uses(
    "ministack.services.sqs:_act_send_message",
    reason="puts a message into a queue",
    parameters=("data", "qurl"),
)
@hooks.uses("ministack.services.sqs:_queue_by_arn", reason="finds a queue", parameters=("arn",))
def send(arn: str, body: str, attributes: Mapping[str, str]) -> None:
    """Send what was given up to a queue, a topic or a function.

    As on AWS, nobody is told where that fails too; the log has it.

    Args:
        arn: Where to.
        body: The message.
        attributes: Of the message; of a queue's only.
    """
    service = _service(arn)
    try:
        if service == "sqs":
            sqs._act_send_message(
                {
                    "QueueUrl": sqs._queue_by_arn(arn)["url"],
                    "MessageBody": body,
                    "MessageAttributes": {
                        name: {"DataType": "String", "StringValue": value}
                        for name, value in attributes.items()
                        if value
                    },
                },
                "",
            )
        elif service == "sns":
            sns.publish_internal(arn, body, "")
        elif service == "lambda":
            func, config, _ = lambda_svc._get_func_record_for_ref(arn)
            invoke(lambda_svc._execution_record_for_config(func, config), json.loads(body))
        else:
            _log.warning("No destination of this kind: %s", arn)
    except Exception:  # noqa: BLE001 - as on AWS, whatever it is: the event is lost
        _log.warning("Nothing could be sent to %s", arn, exc_info=True)
