"""Faults on purpose: make the n-th call of an operation fail, throttle, hang or lose its answer.

Only calls that the pipeline itself makes count: those of the state machine, of the functions and of
the SageMaker process. A person's `aws`, the tests and the CDK command line are never disturbed.

The file that `spine up --faults FILE` takes is a JSON list, one object for each fault::

    [{"service": "sagemaker", "operation": "CreateModel", "nth": 1, "fault": "lost-answer"},
     {"service": "s3", "operation": "PutObject", "every": 3, "fault": "throttle"}]

While the cloud runs, the same list is replaced by `POST` and read by `GET` at
`/_spine/faults` of its port.
"""

import asyncio
import dataclasses
import json
import re
import urllib.error
import urllib.request
import uuid
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localcloud.asgi import App, Message, Receive, Scope, Send, whole_body
from localcloud.environment_variables import PIPELINE_APP_ID

if TYPE_CHECKING:
    from localcloud.lifecycle import Cloud

CONTROL_PATH = "/_spine/faults"
_FROM_PIPELINE = f"app/{PIPELINE_APP_ID}".encode()

Kind = Literal["fail", "throttle", "hang", "lost-answer"]
# Longer than the 60 s after which the machine's short tasks and boto3's reads give up.
_HANG_SECONDS = 75.0
_MOST_CALLS = 20_000
_MOST_FAULTS = 1_000
_SIGNED_FOR = re.compile(rb"Credential=[^/,]+/\d+/[^/,]+/([^/,]+)/aws4_request")
_LAMBDA_INVOKE = re.compile(r"^/2015-03-31/functions/[^/]+/invocations$")
_BOTO_NAMES = {"states": "stepfunctions"}


class FaultError(ValueError):
    """A fault cannot be understood; the message names it, its field and what it may be."""


@dataclasses.dataclass(kw_only=True)
class Fault:
    """One fault, and how often it was met.

    Attributes:
        service: boto3's name of the service (`sagemaker`, `s3`, `lambda`, `stepfunctions`, ...), or
            `*`.
        operation: The operation as the API reference spells it (`CreateModel`, `Invoke`), or `*`.
        fault: What happens. `fail`: an error and no effect. `throttle`: the service's throttling
            error. `hang`: silence for `seconds`, then an error; no effect. `lost-answer`: the call
            takes effect, and the caller gets an error instead of the answer.
        nth: Only this one of the matching calls, counted from 1.
        every: Each call whose number is a multiple of this; 1 means all.
        containing: Only calls whose address or body contains this text (a run's name, a bucket).
        seconds: How long `hang` lasts.
        error: The error code, in place of the service's own for this kind of fault.
        status: The HTTP status that goes with `error`.
        seen: Matching calls so far.
        hit: How many of them the fault changed.
    """

    service: str
    operation: str
    fault: Kind
    nth: int | None = None
    every: int | None = None
    containing: str = ""
    seconds: float = _HANG_SECONDS
    error: str | None = None
    status: int = 400
    seen: int = 0
    hit: int = 0

    def matches(self, service: str, operation: str, text: bytes) -> bool:
        """Tell whether the fault is about this call, whatever its number."""
        return (
            self.service in ("*", service)
            and self.operation in ("*", operation)
            and self.containing.encode() in text
        )

    def strikes(self) -> bool:
        """Count a matching call and tell whether this is one to change."""
        self.seen += 1
        struck = self.seen == self.nth if self.nth else self.seen % (self.every or 1) == 0
        self.hit += struck
        return struck


def read(path: Path) -> list[dict[str, Any]]:
    """Return a file's faults, checked, as they are sent to a cloud.

    Raises:
        FaultError: The file is not there, is no JSON, or a fault in it is wrong.
    """
    try:
        given = json.loads(path.read_text())
    except OSError as error:
        raise FaultError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise FaultError(f"{path} is no JSON: {error}.") from error
    parse(given)
    faults: list[dict[str, Any]] = given
    return faults


def parse(given: object) -> list[Fault]:
    """Check a list of faults.

    Raises:
        FaultError: Names the fault by its place in the list, the field, and what it may be.
    """
    if not isinstance(given, list) or len(given) > _MOST_FAULTS:
        raise FaultError(f"Give a list of at most {_MOST_FAULTS} faults, each an object.")
    return [_parsed(number, each) for number, each in enumerate(given, start=1)]


def _parsed(number: int, given: object) -> Fault:
    if not isinstance(given, dict):
        raise FaultError(f"fault {number}: must be an object.")
    for name, value in given.items():
        if name not in _FIELDS:
            raise FaultError(f"fault {number}: {name} is no field. Known: {', '.join(_FIELDS)}.")
        right, what = _FIELDS[name]
        if not right(value):
            raise FaultError(f"fault {number}: {name} is {value!r}; it must be {what}.")
    missing = [name for name in ("service", "operation", "fault") if name not in given]
    if missing:
        raise FaultError(f"fault {number}: {missing[0]} is needed.")
    if ("nth" in given) == ("every" in given):
        raise FaultError(f"fault {number}: give nth or every, one of them.")
    return Fault(**given)


def _text(value: object) -> bool:
    return isinstance(value, str)


def _name(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _number_from_1(value: object) -> bool:
    return type(value) is int and value >= 1


_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "service": (_name, "boto3's name of a service, or *"),
    "operation": (_name, "an operation such as CreateModel, or *"),
    "fault": (lambda value: value in get_args(Kind), f"one of {', '.join(get_args(Kind))}"),
    "nth": (_number_from_1, "a whole number from 1"),
    "every": (_number_from_1, "a whole number from 1"),
    "containing": (_text, "a text"),
    "seconds": (
        lambda value: type(value) in (int, float) and 0 <= value <= 3600,
        "a number from 0 to 3600",
    ),
    "error": (_name, "an error code"),
    "status": (lambda value: type(value) is int and 400 <= value <= 599, "from 400 to 599"),
}


class FaultInjection:
    """An ASGI app that changes the pipeline's calls as the faults say, and passes on the rest.

    Args:
        app: What answers.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._faults: list[Fault] = []
        self._recording = False
        self._calls: deque[dict[str, str]] = deque(maxlen=_MOST_CALLS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == CONTROL_PATH:
            await self._control(scope, receive, send)
        elif (self._faults or self._recording) and _from_pipeline(scope):
            await self._disturbed(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _disturbed(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await whole_body(receive)
        replayed = _replay(body, receive)
        service, operation = identify(scope)
        text = unquote(scope["path"]).encode() + b"\n" + scope["query_string"] + b"\n" + body
        if self._recording:
            self._calls.append({"service": service, "operation": operation})
        # Each fault counts the calls it is about, also those that another one changes.
        struck = [
            each
            for each in self._faults
            if each.matches(service, operation, text) and each.strikes()
        ]
        if not struck:
            await self._app(scope, replayed, send)
            return
        fault = struck[0]
        if fault.fault == "lost-answer":
            await self._app(scope, replayed, _discard)
        elif fault.fault == "hang":
            await asyncio.sleep(fault.seconds)
        await _answer_error(send, service, fault)

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the faults by GET; replace them, and begin or end recording, by POST."""
        if scope["method"] == "POST":
            # A page in a browser can only send this type with leave, which is never given.
            headers = dict(scope["headers"])
            if not headers.get(b"content-type", b"").startswith(b"application/json"):
                await _json(send, 415, {"error": "Send application/json."})
                return
            try:
                given = json.loads(await whole_body(receive))
                request = given if isinstance(given, dict) else {"faults": given}
                self._faults = parse(request.get("faults", []))
            except ValueError as error:
                await _json(send, 400, {"error": str(error)})
                return
            self._recording = request.get("record") is True
            self._calls.clear()
        await _json(
            send,
            200,
            {
                "faults": [dataclasses.asdict(each) for each in self._faults],
                "calls": list(self._calls),
            },
        )


def post(cloud: "Cloud", request: dict[str, Any] | None) -> dict[str, Any]:
    """Replace a running cloud's faults, or only read them when there is no request.

    Args:
        cloud: The running cloud.
        request: `{"faults": [...], "record": bool}`; recording keeps which calls were made.

    Returns:
        `{"faults": [...], "calls": [{"service", "operation"}]}`.

    Raises:
        FaultError: The cloud refused the faults; says which and why.
    """
    body = None if request is None else json.dumps(request).encode()
    url = cloud.endpoint_url + CONTROL_PATH
    signed = AWSRequest(
        method="GET" if body is None else "POST",
        url=url,
        data=body,
        headers={"Content-Type": "application/json"},
    )
    own = cloud.credentials
    key = Credentials(own.access_key_id, own.secret_access_key)
    SigV4Auth(key, "spine", cloud.region).add_auth(signed)
    asked = urllib.request.Request(  # noqa: S310 - the cloud's own loopback address
        url, data=body, headers=dict(signed.headers)
    )
    # Without the environment's proxies: they cannot reach this machine's loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        raise FaultError(json.load(error)["error"]) from error
    return found


def identify(scope: Scope) -> tuple[str, str]:
    """Tell the service by boto3's name, and the operation by the API reference's, of a request."""
    headers = dict(scope["headers"])
    found = _SIGNED_FOR.search(headers.get(b"authorization", b""))
    signed = found[1].decode() if found else ""
    target = headers.get(b"x-amz-target", b"").decode()
    path: str = scope["path"]
    if target:
        return _BOTO_NAMES.get(signed, signed), target.rpartition(".")[2]
    if signed == "s3":
        return "s3", _s3_operation(scope)
    if signed == "sagemaker":
        return "sagemaker-runtime", "InvokeEndpoint"
    if signed == "lambda" and _LAMBDA_INVOKE.match(path):
        return "lambda", "Invoke"
    return _BOTO_NAMES.get(signed, signed), f"{scope['method']} {path}"


def _s3_operation(scope: Scope) -> str:
    method: str = scope["method"]
    query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
    _, _, key = scope["path"].lstrip("/").partition("/")
    if not key:
        lists = method == "GET" and ("list-type" in query or not query)
        return "ListObjectsV2" if lists else f"{method.capitalize()}Bucket"
    if method == "POST":
        return "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
    if "partNumber" in query:
        return "UploadPart"
    if any(name == b"x-amz-copy-source" for name, _ in scope["headers"]):
        return "CopyObject"
    return f"{method.capitalize()}Object"


def _from_pipeline(scope: Scope) -> bool:
    return any(
        name == b"user-agent" and _FROM_PIPELINE in value for name, value in scope["headers"]
    )


def _replay(body: bytes, receive: Receive) -> Receive:
    unread = True

    async def replayed() -> Message:
        nonlocal unread
        if unread:
            unread = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replayed


async def _discard(_: Message) -> None:
    """Lose an answer."""


# The code and HTTP status that each service's clients know as throttling, and as a failure of the
# service itself.
_THROTTLED = {"s3": ("SlowDown", 503), "lambda": ("TooManyRequestsException", 429)}
_FAILED = {"s3": ("InternalError", 500), "lambda": ("ServiceException", 500)}


async def _answer_error(send: Send, service: str, fault: Fault) -> None:
    if fault.error:
        code, status = fault.error, fault.status
    elif fault.fault == "throttle":
        code, status = _THROTTLED.get(service, ("ThrottlingException", 400))
    else:
        code, status = _FAILED.get(service, ("InternalFailure", 500))
    message = f"Injected fault: {fault.fault} of {service} {fault.operation}."
    if service == "s3":
        text = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        await _respond(send, status, text.encode(), [(b"content-type", b"application/xml")])
    else:
        await _json(
            send, status, {"__type": code, "message": message}, (b"x-amzn-errortype", code.encode())
        )


async def _json(send: Send, status: int, body: object, *headers: tuple[bytes, bytes]) -> None:
    kind = (b"content-type", b"application/json")
    await _respond(send, status, json.dumps(body).encode(), [kind, *headers])


async def _respond(
    send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    # Every AWS answer has one, and Step Functions' error handling reads it.
    request = str(uuid.uuid4()).encode()
    headers += [
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", request),
        (b"x-amz-request-id", request),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
