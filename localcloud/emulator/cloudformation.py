"""What MiniStack's CloudFormation leaves out of the resources Spine deploys, and its waits.

A bucket's ``Tags`` decide whether CDK's auto-delete function may empty it on ``cdk destroy``; its
lifecycle rules are what the operator reads back. A function whose package is missing in S3 must
fail the deployment, not the first run. A state machine's definition is checked by
``localcloud.stepfunctions``.

The CDK command line asks every five seconds how a stack is doing, first right after it started the
operation. A local stack takes less, so the answer that the operation started waits for its end.
"""

import asyncio
import contextvars
import sys
from collections.abc import Coroutine
from typing import Any

from ministack.services import cloudformation, s3
from ministack.services.cloudformation import provisioners, stacks

from localcloud.hooks import Hook, put

HOOKS = (
    Hook(
        target="ministack.services.cloudformation.provisioners:_S3_BUCKET_CONFIGURATIONS",
        reason="a bucket's Tags and LifecycleConfiguration are dropped",
    ),
    Hook(
        target="ministack.services.cloudformation.provisioners:_s3_apply_configurations",
        reason="reads the table above on create and update",
        parameters=("name", "props", "old_props"),
    ),
    Hook(
        target="ministack.services.cloudformation.provisioners:"
        "_RESOURCE_HANDLERS.AWS/S3/Bucket.delete",
        reason="a bucket that still holds objects is deleted",
        parameters=("physical_id", "props"),
    ),
    Hook(
        target="ministack.services.s3:_bucket_has_versions",
        reason="tells whether a bucket still holds versions or delete markers",
        parameters=("name",),
    ),
    Hook(target="ministack.services.s3:_buckets", reason="the buckets and their objects"),
    Hook(target="ministack.services.s3:_bucket_tags", reason="where a bucket's tags live"),
    Hook(target="ministack.services.s3:_bucket_lifecycle", reason="where lifecycle rules live"),
    Hook(
        target="ministack.services.cloudformation.provisioners:"
        "_RESOURCE_HANDLERS.AWS/Lambda/Function.create",
        reason="a function whose package is missing in S3 reaches CREATE_COMPLETE",
        parameters=("logical_id", "props", "stack_name"),
    ),
    Hook(
        target="ministack.services.s3:_get_object_data",
        reason="looks that package up",
        parameters=("bucket_name", "key", "version_id"),
    ),
    Hook(
        target="ministack.services.cloudformation:handle_request",
        reason="a caller that polls waits five seconds for a stack that took one",
        parameters=("method", "path", "headers", "body", "query_params"),
    ),
    Hook(
        target="ministack.services.cloudformation.stacks:_create_stack_task_in_region",
        reason="where the work on a stack starts",
        parameters=("coro", "stack", "stack_id"),
    ),
)

# An answer is never held back for longer; clients give up after 60 s or more.
_LONGEST_WAIT_SECONDS = 15.0
_ends: contextvars.ContextVar[list[asyncio.Event] | None] = contextvars.ContextVar(
    "_ends", default=None
)


def install() -> None:
    """Put the hooks in place. Call once, after :func:`~localcloud.hooks.check`."""
    provisioners._S3_BUCKET_CONFIGURATIONS = (
        *provisioners._S3_BUCKET_CONFIGURATIONS,
        ("Tags", lambda tags: tags, _put_tags, _drop(s3._bucket_tags)),
        ("LifecycleConfiguration", _lifecycle_rules, _put_rules, _drop(s3._bucket_lifecycle)),
    )
    _require_function_code()
    _keep_full_buckets()
    _answer_at_the_end()


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


def _require_function_code() -> None:
    """Refuse a function whose package is not in S3, as CloudFormation does."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create = handler["create"]

    def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        code = props.get("Code") or {}
        bucket, key = code.get("S3Bucket"), code.get("S3Key")
        version = code.get("S3ObjectVersion")
        if bucket and key and s3._get_object_data(bucket, key, version_id=version) is None:
            raise ValueError(
                "Error occurred while GetObject. S3 Error Code: NoSuchKey. "
                f"The function's package s3://{bucket}/{key} does not exist."
            )
        return create(logical_id, props, stack_name)

    handler["create"] = created


def _keep_full_buckets() -> None:
    """Refuse to delete a bucket that is not empty, as S3 does."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    delete = handler["delete"]

    def deleted(physical_id: str, props: dict[str, Any]) -> Any:
        bucket = s3._buckets.get(physical_id)
        if bucket and (bucket["objects"] or s3._bucket_has_versions(physical_id)):
            raise ValueError(f"The bucket you tried to delete is not empty: {physical_id}")
        return delete(physical_id, props)

    handler["delete"] = deleted


def _answer_at_the_end() -> None:
    """Answer a stack operation when the stack is done, if that is soon (MiniStack: at once)."""
    original_start = stacks._create_stack_task_in_region
    handle = cloudformation.handle_request

    def start(coro: Coroutine[Any, Any, Any], stack: Any, stack_id: str | None = None) -> None:
        ends = _ends.get()
        if ends is None:
            original_start(coro, stack, stack_id)
            return
        end = asyncio.Event()
        ends.append(end)
        original_start(_announced(coro, end), stack, stack_id)

    async def handled(*args: Any) -> Any:
        ends: list[asyncio.Event] = []
        token = _ends.set(ends)
        try:
            answer = await handle(*args)
        finally:
            _ends.reset(token)
        if ends:
            done = asyncio.gather(*(end.wait() for end in ends))
            try:
                await asyncio.wait_for(done, _LONGEST_WAIT_SECONDS)
            except TimeoutError:
                return answer
        return answer

    for name, module in list(sys.modules.items()):
        ours = name.startswith("ministack.services.cloudformation")
        if ours and getattr(module, "_create_stack_task_in_region", None) is original_start:
            put(module, "_create_stack_task_in_region", start)
    cloudformation.handle_request = handled


async def _announced(coro: Coroutine[Any, Any, Any], end: asyncio.Event) -> None:
    try:
        await coro
    finally:
        end.set()
