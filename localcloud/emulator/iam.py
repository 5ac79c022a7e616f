"""The deployed IAM policies decide on the local cloud, as on AWS: `spine up --enforce-iam`.

MiniStack evaluates the policies of a request's role for the services it has. What it leaves open is
closed here, so that no call of a pipeline goes unchecked:

* the state machine's calls are signed with a session of its role (`localcloud.emulator.keys`),
* SageMaker's own API is checked on the way to its process (`SageMakerGate`),
  with the further checks AWS makes of it: the tags of a creation, and the role it passes,
* TLS: policies here deny plain HTTP, and the loopback address speaks nothing else.

Every decision about a role is appended to a file, one JSON object a line, with what was asked on
what and under which conditions: the record from which the permissions' need is proven.
"""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botocore import xform_name
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id

from localcloud import hooks
from localcloud.asgi import App, Message, Receive, Scope, Send, whole_body
from localcloud.emulator import keys

_INVOKED = "/endpoints/"

Check = tuple[str, str, dict[str, Any]]


class Record:
    """The file of decisions about roles. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def add(self, *, role: str, check: Check, allowed: bool) -> None:
        """Append one decision."""
        action, resource, context = check
        line = {"role": role, "action": action, "resource": resource, "context": context}
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps({**line, "allowed": allowed}, sort_keys=True) + "\n")


_record: Record | None = None


def configure(*, record: Path) -> None:
    """Set the file that decisions about roles are written to."""
    global _record  # noqa: PLW0603 - one gateway a process
    _record = Record(record)


class SageMakerGate:
    """Checks SageMaker's calls, and passes on what the caller's policies allow.

    Args:
        app: Answers what is allowed.
        region: Of the resources that requests name.
        account: The same.
    """

    def __init__(self, app: App, *, region: str, account: str) -> None:
        self._app = app
        self._region = region
        self._account = account

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        body = await whole_body(receive)
        checks = self._checks(scope["path"], headers, body)
        for action, resource, context in checks:
            denied = iam_evaluator.enforce(
                keys.of_request(headers, {}),
                action,
                action.partition(":")[0],
                self._region,
                resource_arn=resource,
                service_context=context,
            )
            if denied is not None:
                await _refuse(send, action, resource, getattr(denied, "principal_arn", ""))
                return
        await self._app(scope, _again(body), send)

    def _arn(self, kind: str, name: str) -> str:
        if name.startswith("arn:"):
            return name
        # Resource types are the API's nouns in lower case (Service Authorization Reference for
        # Amazon SageMaker): a `TrainingJob` is a `training-job`.
        resource_type = xform_name(kind, "-")
        return f"arn:aws:sagemaker:{self._region}:{self._account}:{resource_type}/{name.lower()}"

    def _checks(self, path: str, headers: dict[str, str], body: bytes) -> list[Check]:
        """What AWS authorizes for one request."""
        target = headers.get("x-amz-target", "")
        if not target:
            name = path.removeprefix(_INVOKED).partition("/")[0]
            return [("sagemaker:InvokeEndpoint", self._arn("Endpoint", name), {})]
        operation = target.removeprefix("SageMaker.")
        try:
            request = json.loads(body or b"{}")
        except ValueError:
            request = {}
        if not isinstance(request, dict):
            request = {}
        action = f"sagemaker:{operation}"
        tags = _tag_context(request)
        created = operation.startswith("Create")
        resources = [
            self._arn(kind, str(request[f"{kind}Name"]))
            for kind in _named(operation)
            if f"{kind}Name" in request
        ] or [str(request.get("ResourceArn", "*"))]
        context = _context(request) | tags if created else tags
        checks = [(action, resource, context) for resource in resources]
        if created and tags:
            tagging = tags | {"sagemaker:TaggingAction": operation}
            checks.append(("sagemaker:AddTags", resources[0], tagging))
        role = request.get("RoleArn") or request.get("ExecutionRoleArn")
        if created and role:
            passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
            checks.append(("iam:PassRole", str(role), passed))
        return checks


def _named(operation: str) -> list[str]:
    """The kinds of what an operation is authorized on, what it makes first.

    An operation on one resource names it by a member of its own (`StopTrainingJob` has
    `TrainingJobName`); one that asks for many, or for an ARN, has none.
    """
    for verb in ("Create", "Describe", "Delete", "Stop", "Update"):
        if operation.startswith(verb):
            kind = operation.removeprefix(verb)
            # An endpoint is made from its config, and AWS authorizes it on both.
            both = operation in {"CreateEndpoint", "UpdateEndpoint"}
            return [kind, "EndpointConfig"] if both else [kind]
    return []


def _tag_context(request: dict[str, Any]) -> dict[str, Any]:
    tags = {str(tag["Key"]): str(tag.get("Value", "")) for tag in request.get("Tags") or []}
    if not tags:
        return {}
    return {"aws:TagKeys": list(tags)} | {f"aws:RequestTag/{key}": tags[key] for key in tags}


def _context(request: dict[str, Any]) -> dict[str, Any]:
    """SageMaker's condition keys of a creation, by the names of the authorization reference."""
    resources = request.get("ResourceConfig") or request.get("TransformResources") or {}
    output = request.get("OutputDataConfig") or request.get("TransformOutput") or {}
    network = request.get("VpcConfig") or {}
    variants = request.get("ProductionVariants") or []
    types = [resources.get("InstanceType"), *(each.get("InstanceType") for each in variants)]
    found = {
        "sagemaker:InstanceTypes": [each for each in types if each],
        "sagemaker:NetworkIsolation": _flag(request.get("EnableNetworkIsolation")),
        "sagemaker:InterContainerTrafficEncryption": _flag(
            request.get("EnableInterContainerTrafficEncryption")
        ),
        "sagemaker:MaxRuntimeInSeconds": (request.get("StoppingCondition") or {}).get(
            "MaxRuntimeInSeconds"
        ),
        "sagemaker:VolumeKmsKey": resources.get("VolumeKmsKeyId") or request.get("KmsKeyId"),
        "sagemaker:OutputKmsKey": output.get("KmsKeyId"),
        "sagemaker:VpcSecurityGroupIds": network.get("SecurityGroupIds"),
        "sagemaker:VpcSubnets": network.get("Subnets"),
    }
    return {key: value for key, value in found.items() if value not in (None, [])}


def _flag(value: object) -> str | None:
    return None if value is None else str(bool(value)).lower()


@hooks.around(
    "ministack.core.iam_evaluator:_resolve_condition_key",
    reason="aws:SecureTransport is false and aws:SourceAccount unknown on the loopback address",
)
def _answer_for_the_loopback(resolve: Callable[..., Any], key: str, ctx: Any) -> Any:
    name = key.lower()
    if name == "aws:securetransport":
        return "true"
    # A service assumes a role on behalf of the account its resource is in: there is only one.
    if name == "aws:sourceaccount" and ctx.action == "sts:AssumeRole":
        return ctx.principal_account
    return resolve(key, ctx)


@hooks.uses(
    "ministack.core.iam_evaluator:evaluate",
    reason="decides on a call by its role's policies",
    parameters=("ctx", "policies", "limits"),
)
@hooks.uses(
    "ministack.core.iam_evaluator:resolve_principal",
    reason="finds the role and its policies by access key",
    parameters=("access_key_id", "account_id", "credential"),
)
@hooks.around("ministack.core.iam_evaluator:enforce", reason="records nothing of what it decides")
def _recorded(
    enforce: Callable[..., Any],
    access_key_id: str,
    iam_action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: dict[str, Any] | None = None,
) -> Any:
    """Decide on a call, and append the decision to the record."""
    context = service_context or {}
    denied = enforce(access_key_id, iam_action, service, region, resource_arn, context)
    principal = iam_evaluator.resolve_principal(access_key_id or "", get_account_id())
    name = getattr(principal, "arn", "").partition(":assumed-role/")[2].partition("/")[0]
    if name and _record:
        _record.add(
            role=name,
            check=(iam_action, resource_arn, _plain(context)),
            allowed=denied is None,
        )
    return denied


def _plain(context: dict[str, Any]) -> dict[str, Any]:
    """The part of a context that is known, and JSON."""
    kept = (str, int, float, bool, list)
    return {key: value for key, value in context.items() if isinstance(value, kept) and value != []}


def _again(body: bytes) -> Receive:
    """A receive that gives a body already read."""
    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": body, "more_body": False}, {"type": "http.disconnect"}]
    )

    async def receive() -> Message:
        return next(messages)

    return receive


async def _refuse(send: Send, action: str, resource: str, principal: str) -> None:
    message = (
        f"User: {principal} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
    headers = [
        (b"content-type", b"application/x-amz-json-1.1"),
        (b"x-amzn-errortype", b"AccessDeniedException"),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    body = json.dumps({"__type": "AccessDeniedException", "Message": message}).encode()
    await send({"type": "http.response.body", "body": body})
