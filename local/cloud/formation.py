"""What MiniStack's CloudFormation leaves out of the resources Spine deploys.

A bucket's ``Tags`` decide whether CDK's auto-delete function may empty it on ``cdk destroy``; its
lifecycle rules are what the operator reads back. A function whose package is missing in S3 must fail
the deployment, not the first run. A state machine's definition is checked by ``local.states``.
"""

from typing import Any

from ministack.services import s3
from ministack.services.cloudformation import provisioners

from .hooks import Hook

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
)


def install() -> None:
    """Put the hooks in place. Call once, after :func:`~local.cloud.hooks.check`."""
    provisioners._S3_BUCKET_CONFIGURATIONS = (
        *provisioners._S3_BUCKET_CONFIGURATIONS,
        ("Tags", lambda tags: tags, _put_tags, _drop(s3._bucket_tags)),
        ("LifecycleConfiguration", _lifecycle_rules, _put_rules, _drop(s3._bucket_lifecycle)),
    )
    _require_function_code()


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
    expiration: dict[str, Any] = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = int(rule["ExpirationInDays"])
    if "ExpirationDate" in rule:
        expiration["Date"] = rule["ExpirationDate"]
    if "ExpiredObjectDeleteMarker" in rule:
        expiration["ExpiredObjectDeleteMarker"] = str(rule["ExpiredObjectDeleteMarker"]) == "true"
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
