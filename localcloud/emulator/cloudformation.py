"""What MiniStack's CloudFormation leaves out of the resources Spine deploys, and its waits.

A bucket's `Tags` decide whether CDK's auto-delete function may empty it on `cdk destroy`; its
lifecycle rules are what the operator reads back. A function whose package is missing in S3 must
fail the deployment, not the first run. A state machine's definition is checked by
`localcloud.stepfunctions`.

The CDK command line asks every five seconds how a stack is doing, first right after it started the
operation. A local stack takes less, so the answer that the operation started waits for its end.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any

from ministack.services import s3

from localcloud import hooks

# An answer is never held back for longer; clients give up after 60 s or more.
_LONGEST_WAIT_SECONDS = 15.0
_ends: contextvars.ContextVar[list[asyncio.Event] | None] = contextvars.ContextVar(
    "_ends", default=None
)


_PROVISIONERS = "ministack.services.cloudformation.provisioners"


@hooks.uses("ministack.services.s3:_bucket_tags", reason="where a bucket's tags live")
@hooks.uses("ministack.services.s3:_bucket_lifecycle", reason="where lifecycle rules live")
@hooks.uses(
    f"{_PROVISIONERS}:_s3_apply_configurations",
    reason="reads the table on create and update",
    parameters=("name", "props", "old_props"),
)
@hooks.edits(
    f"{_PROVISIONERS}:_S3_BUCKET_CONFIGURATIONS",
    reason="a bucket's Tags and LifecycleConfiguration are dropped",
)
def _with_tags_and_rules(configurations: tuple[Any, ...]) -> tuple[Any, ...]:
    return (
        *configurations,
        ("Tags", lambda tags: tags, _put_tags, _drop(s3._bucket_tags)),
        ("LifecycleConfiguration", _lifecycle_rules, _put_rules, _drop(s3._bucket_lifecycle)),
    )


def _put_tags(bucket: str, tags: list[dict[str, str]]) -> None:
    s3._bucket_tags[bucket] = {tag["Key"]: tag["Value"] for tag in tags or []}


def _put_rules(bucket: str, rules: list[dict[str, Any]]) -> None:
    s3._bucket_lifecycle[bucket] = rules


def _drop(store: Any) -> Any:
    return lambda bucket: store.pop(bucket, None)


def _lifecycle_rules(configuration: dict[str, Any]) -> list[dict[str, Any]]:
    """CloudFormation's lifecycle rules in the shape S3's API (and MiniStack's store) gives them."""
    return [_lifecycle_rule(rule) for rule in configuration.get("Rules") or []]


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"Status": rule.get("Status", "Enabled"), "Filter": _rule_filter(rule)}
    if "Id" in rule:
        found["ID"] = rule["Id"]
    expiration = _expiration(rule)
    if expiration:
        found["Expiration"] = expiration
    noncurrent = rule.get("NoncurrentVersionExpiration") or {}
    if "NoncurrentVersionExpirationInDays" in rule:
        noncurrent = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    if noncurrent:
        found["NoncurrentVersionExpiration"] = {key: int(n) for key, n in noncurrent.items()}
    if rule.get("AbortIncompleteMultipartUpload"):
        days = rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
        found["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": int(days)}
    transitions = [
        {"Days": int(each["TransitionInDays"]), "StorageClass": each["StorageClass"]}
        for each in rule.get("Transitions") or []
        if "TransitionInDays" in each
    ]
    if transitions:
        found["Transitions"] = transitions
    later = [
        {"NoncurrentDays": int(each["TransitionInDays"]), "StorageClass": each["StorageClass"]}
        for each in rule.get("NoncurrentVersionTransitions") or []
    ]
    if later:
        found["NoncurrentVersionTransitions"] = later
    return found


def _expiration(rule: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "ExpirationInDays" in rule:
        found["Days"] = int(rule["ExpirationInDays"])
    if "ExpirationDate" in rule:
        found["Date"] = rule["ExpirationDate"]
    if "ExpiredObjectDeleteMarker" in rule:
        marker = rule["ExpiredObjectDeleteMarker"]
        found["ExpiredObjectDeleteMarker"] = str(marker).lower() == "true"
    return found


def _rule_filter(rule: dict[str, Any]) -> dict[str, Any]:
    prefix = rule.get("Prefix", "")
    tags = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in rule.get("TagFilters") or []]
    if not tags:
        return {"Prefix": prefix}
    if len(tags) == 1 and not prefix:
        return {"Tag": tags[0]}
    return {"And": ({"Prefix": prefix} if prefix else {}) | {"Tags": tags}}


@hooks.uses(
    "ministack.services.s3:_get_object_data",
    reason="looks the package up",
    parameters=("bucket_name", "key", "version_id"),
)
@hooks.around(
    f"{_PROVISIONERS}:_RESOURCE_HANDLERS.AWS/Lambda/Function.create",
    reason="a function whose package is missing in S3 reaches CREATE_COMPLETE",
)
def _require_function_code(
    create: Callable[..., Any], logical_id: str, props: dict[str, Any], stack_name: str
) -> Any:
    """Refuse a function whose package is not in S3, as CloudFormation does."""
    code = props.get("Code") or {}
    bucket, key = code.get("S3Bucket"), code.get("S3Key")
    version = code.get("S3ObjectVersion")
    if bucket and key and s3._get_object_data(bucket, key, version_id=version) is None:
        raise ValueError(
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. "
            f"The function's package s3://{bucket}/{key} does not exist."
        )
    return create(logical_id, props, stack_name)


@hooks.uses("ministack.services.s3:_buckets", reason="the buckets and their objects")
@hooks.uses(
    "ministack.services.s3:_bucket_has_versions",
    reason="tells whether a bucket still holds versions or delete markers",
    parameters=("name",),
)
@hooks.around(
    f"{_PROVISIONERS}:_RESOURCE_HANDLERS.AWS/S3/Bucket.delete",
    reason="a bucket that still holds objects is deleted",
)
def _keep_full_buckets(delete: Callable[..., Any], physical_id: str, props: dict[str, Any]) -> Any:
    """Refuse to delete a bucket that is not empty, as S3 does."""
    bucket = s3._buckets.get(physical_id)
    if bucket and (bucket["objects"] or s3._bucket_has_versions(physical_id)):
        raise ValueError(f"The bucket you tried to delete is not empty: {physical_id}")
    return delete(physical_id, props)


@hooks.around(
    "ministack.services.cloudformation.stacks:_create_stack_task_in_region",
    reason="nobody is told when the work on a stack ends",
    imported_by="ministack.services.cloudformation",
)
def _start(
    start: Callable[..., None],
    coro: Coroutine[Any, Any, Any],
    stack: Any,
    stack_id: str | None = None,
) -> None:
    """Start the work on a stack; the operation that asked for it learns of its end."""
    ends = _ends.get()
    if ends is None:
        start(coro, stack, stack_id)
        return
    end = asyncio.Event()
    ends.append(end)
    start(_announced(coro, end), stack, stack_id)


@hooks.around(
    "ministack.services.cloudformation:handle_request",
    reason="a caller that polls waits five seconds for a stack that took one",
)
async def _answer_at_the_end(
    handle: Callable[..., Any], method: Any, path: Any, headers: Any, body: Any, query_params: Any
) -> Any:
    """Answer a stack operation when the stack is done, if that is soon (MiniStack: at once)."""
    ends: list[asyncio.Event] = []
    token = _ends.set(ends)
    try:
        answer = await handle(method, path, headers, body, query_params)
    finally:
        _ends.reset(token)
    if ends:
        done = asyncio.gather(*(end.wait() for end in ends))
        try:
            await asyncio.wait_for(done, _LONGEST_WAIT_SECONDS)
        except TimeoutError:
            return answer
    return answer


async def _announced(coro: Coroutine[Any, Any, Any], end: asyncio.Event) -> None:
    try:
        await coro
    finally:
        end.set()
