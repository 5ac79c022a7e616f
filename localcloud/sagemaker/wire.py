"""The service's protocols over HTTP: JSON 1.1 for SageMaker, REST for its runtime."""

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import botocore.session
from botocore.model import ServiceModel
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from localcloud.sagemaker import resources, validation
from localcloud.sagemaker.capture import Message
from localcloud.sagemaker.errors import ApiError
from localcloud.sagemaker.jobs import Platform
from localcloud.sagemaker.limits import Limits
from localcloud.sagemaker.resources import endpoints
from localcloud.sagemaker.serving import Answer

# Source: the API reference of InvokeEndpoint.
MAX_BODY_BYTES = 6_291_456
INVOCATION_SECONDS = 60.0
_TARGET_PREFIX = "SageMaker."
# What the runtime passes on to the container.
_FORWARDED = ("content-type", "accept", "x-amzn-sagemaker-custom-attributes")
# Headers that would choose something which is not offered here.
_UNSUPPORTED = {
    "x-amzn-sagemaker-target-model": "TargetModel",
    "x-amzn-sagemaker-target-container-hostname": "TargetContainerHostname",
    "x-amzn-sagemaker-enable-explanations": "EnableExplanations",
    "x-amzn-sagemaker-inference-component": "InferenceComponentName",
    "x-amzn-sagemaker-session-id": "SessionId",
}
_log = logging.getLogger(__name__)


class Api:
    """Answers requests on behalf of a platform."""

    def __init__(self, platform: Platform) -> None:
        session = botocore.session.Session()
        self._platform = platform
        self._model: ServiceModel = session.get_service_model("sagemaker")
        self._invocation = session.get_service_model("sagemaker-runtime").operation_model(
            "InvokeEndpoint"
        )
        self._handlers = resources.load(platform)
        self._limits = Limits(platform.settings, platform.store)

    def application(self) -> Starlette:
        """The ASGI application; ending it ends everything that runs."""

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            yield
            await run_in_threadpool(self._platform.close)

        return Starlette(
            routes=[
                Route("/_health", self._health),
                Route("/endpoints/{name}/invocations", self._invoke, methods=["POST"]),
                Route("/endpoints/{name}/{rest:path}", self._unavailable, methods=["POST"]),
                Route("/", self._control, methods=["POST"]),
            ],
            lifespan=lifespan,
        )

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "operations": sorted(self._handlers)})

    async def _control(self, request: Request) -> Response:
        target = request.headers.get("x-amz-target", "")
        body = await request.body()
        try:
            answer = await run_in_threadpool(self.call, target, body)
        except ApiError as error:
            return _refusal(error, "__type", "message")
        except Exception as error:  # noqa: BLE001 (logged; the client gets the service's answer)
            _log.exception("%s has failed", target)
            internal = ApiError("InternalFailure", f"{target} has failed: {error!r}", 500)
            return _refusal(internal, "__type", "message")
        return Response(
            json.dumps(answer),
            media_type="application/x-amz-json-1.1",
            headers={"x-amzn-RequestId": str(uuid.uuid4())},
        )

    def call(self, target: str, body: bytes) -> dict[str, Any]:
        """Answers a control operation.

        Args:
            target: The `X-Amz-Target` header.
            body: The request's JSON.

        Raises:
            ApiError: The request is refused.
        """
        name = target.removeprefix(_TARGET_PREFIX)
        if not target.startswith(_TARGET_PREFIX) or name not in self._model.operation_names:
            raise ApiError("UnknownOperationException", f"SageMaker has no operation {target!r}.")
        handler = self._handlers.get(name)
        if handler is None:
            raise ApiError("UnknownOperationException", f"{name} is not available locally.")
        self._limits.check_rate(name)
        try:
            decoded = json.loads(body or b"{}")
        except ValueError as error:
            raise ApiError("SerializationException", f"The body is no JSON: {error}") from error
        operation = self._model.operation_model(name)
        request = _without_nulls(validation.check(operation, decoded))
        self._limits.check_quotas(name, request)
        rendered: dict[str, Any] = validation.render(operation.output_shape, handler(request)) or {}
        return rendered

    async def _invoke(self, request: Request) -> Response:
        try:
            return await self._forward(request)
        except ApiError as error:
            return _refusal(error, "ErrorCode", "Message")

    async def _unavailable(self, request: Request) -> Response:
        what = f"The runtime's operation at {request.url.path}"
        error = ApiError("ValidationError", f"{what} is not available locally.")
        return _refusal(error, "ErrorCode", "Message")

    async def _forward(self, request: Request) -> Response:
        headers = request.headers
        for header, member in _UNSUPPORTED.items():
            if header in headers:
                raise ApiError(
                    "ValidationError", f"{member} of InvokeEndpoint is not available locally."
                )
        body = await _limited_body(request)
        name = request.path_params["name"]
        target = headers.get("x-amzn-sagemaker-target-variant")
        self._check_invocation({"EndpointName": name, "Body": body}, headers)
        route = endpoints.route(self._platform, name, target)
        passed = {header: headers[header] for header in _FORWARDED if header in headers}
        try:
            async with asyncio.timeout(INVOCATION_SECONDS):
                answer = await route.server.invoke(body, passed)
        except TimeoutError:
            answer = Answer(
                0,
                {},
                b"Your invocation timed out while waiting for a response from container primary. "
                b"Review the latency metrics for each container in Amazon CloudWatch, resolve the "
                b"issue, and try again.",
            )
        except OSError as error:
            answer = Answer(0, {}, f"The model server has ended: {error}".encode())
        if not 200 <= answer.status < 300:
            raise self._model_error(name, answer)
        if route.capture is not None:
            route.capture.add(
                route.variant,
                Message(headers.get("content-type", ""), body),
                Message(answer.headers.get("content-type", ""), answer.body),
                inference_id=headers.get("x-amzn-sagemaker-inference-id"),
                custom_attributes=headers.get("x-amzn-sagemaker-custom-attributes"),
            )
        return Response(
            answer.body,
            answer.status,
            headers={
                # As the container has it: the framework would add a charset to a media type.
                **{k: v for k, v in answer.headers.items() if k == "content-type"},
                "x-amzn-invoked-production-variant": route.variant,
                "x-amzn-requestid": str(uuid.uuid4()),
            },
        )

    def _check_invocation(self, given: dict[str, Any], headers: Headers) -> None:
        inputs = self._invocation.input_shape
        for member, shape in (inputs.members if inputs else {}).items():
            header = shape.serialization.get("name", "")
            if shape.serialization.get("location") == "header" and header in headers:
                given[member] = headers[header]
        try:
            validation.check(self._invocation, given)
        except ApiError as error:
            raise ApiError("ValidationError", error.message) from None

    def _model_error(self, endpoint: str, answer: Answer) -> ApiError:
        settings = self._platform.settings
        text = answer.body.decode(errors="replace")
        side = "client" if 400 <= answer.status < 500 else "server"
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        return ApiError(
            "ModelError",
            f'Received {side} error ({answer.status}) from primary with message "{text}". See '
            f"https://{settings.region}.console.aws.amazon.com/cloudwatch/home?region="
            f"{settings.region}#logEventViewer:group={group} in account {settings.account} for "
            "more information.",
            424,
            {
                "OriginalStatusCode": answer.status,
                "OriginalMessage": text,
                "LogStreamArn": (
                    f"arn:aws:logs:{settings.region}:{settings.account}:log-group:{group}"
                ),
            },
        )


def _refusal(error: ApiError, code_member: str, message_member: str) -> Response:
    code = error.code
    members = {code_member: code, message_member: error.message, **error.members}
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    if not code.isdigit():
        headers["x-amzn-ErrorType"] = code
    return Response(
        json.dumps(members), error.status, headers, media_type="application/x-amz-json-1.1"
    )


async def _limited_body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        # What is too large is read to its end all the same: a client that is still sending
        # would see a broken connection instead of the answer.
        if size <= MAX_BODY_BYTES:
            parts.append(part)
    if size > MAX_BODY_BYTES:
        # No error type: clients show the status as the code, as they do for AWS's answer.
        raise ApiError("413", f"HTTP content length exceeded {MAX_BODY_BYTES} bytes.", 413)
    return b"".join(parts)


def _without_nulls(value: Any) -> Any:
    """JSON null means that a member is absent."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
