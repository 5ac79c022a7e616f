"""SageMaker traffic leaves the gateway here, for the SageMaker process behind a Unix socket.

MiniStack has no SageMaker. The gateway tells its calls apart by what the SDKs send (the target
header, the signature's service) and streams them over pooled keep-alive connections, so that an
endpoint's answer costs a fraction of a millisecond more than asking the process itself.
"""

import json
import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import httpx

from localcloud.asgi import Receive, Scope, Send, rest_of

# SageMaker's own limit on a real-time call is 60 s; a management call answers at once.
_TIMEOUT = httpx.Timeout(75.0, connect=5.0)
_LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=64, keepalive_expiry=60.0)
_RUNTIME_PATH = re.compile(
    rb"^/endpoints/[^/]+/(async-invocations|invocations|invocations-response-stream)$"
)
# Per connection (RFC 9110, 7.6.1), so never passed on.
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"transfer-encoding", b"te", b"trailer", b"upgrade", b"host")
)


def is_sagemaker(scope: Scope) -> bool:
    """Tell whether a request is for SageMaker or SageMaker Runtime."""
    if scope["type"] != "http":
        return False
    headers = dict(scope["headers"])
    if headers.get(b"x-amz-target", b"").startswith(b"SageMaker."):
        return True
    signed = b"/sagemaker/aws4_request" in headers.get(b"authorization", b"")
    return signed and _RUNTIME_PATH.match(scope["raw_path"].partition(b"?")[0]) is not None


class SageMakerProxy:
    """An ASGI app that passes requests on to the SageMaker process.

    Args:
        uds: The Unix domain socket the process listens on.
        log: The process's log, named when it does not answer.
    """

    def __init__(self, *, uds: Path, log: Path) -> None:
        transport = httpx.AsyncHTTPTransport(uds=str(uds), limits=_LIMITS, retries=0)
        self._client = httpx.AsyncClient(
            transport=transport, base_url="http://sagemaker", timeout=_TIMEOUT, trust_env=False
        )
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and its answer back, both as they arrive."""
        try:
            answer = await self._client.send(await self._request(scope, receive), stream=True)
        except httpx.TransportError as error:
            await self._unavailable(send, error)
            return
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": answer.status_code,
                    "headers": _end_to_end(answer.headers.raw),
                }
            )
            async for chunk in answer.aiter_raw():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await answer.aclose()

    async def healthy(self) -> bool:
        """Tell whether the SageMaker process answers."""
        try:
            return (await self._client.get("/_health", timeout=2.0)).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._client.aclose()

    async def _request(self, scope: Scope, receive: Receive) -> httpx.Request:
        first = await receive()
        body: bytes | AsyncIterator[bytes] = first.get("body", b"")
        if first.get("more_body"):
            body = rest_of(first, receive)
        url = httpx.URL("http://sagemaker", raw_path=_target(scope))
        return self._client.build_request(
            scope["method"], url, headers=_end_to_end(scope["headers"]), content=body
        )

    async def _unavailable(self, send: Send, error: httpx.TransportError) -> None:
        """Say in SageMaker's own error format that its process is not there."""
        message = (
            "The local SageMaker process does not answer "
            f"({type(error).__name__}). Its log: {self._log}. "
            "Restart the local cloud: spine down, then spine up."
        )
        headers = [
            (b"content-type", b"application/x-amz-json-1.1"),
            (b"x-amzn-errortype", b"InternalFailure"),
        ]
        await send({"type": "http.response.start", "status": 500, "headers": headers})
        body = json.dumps({"__type": "InternalFailure", "message": message}).encode()
        await send({"type": "http.response.body", "body": body})


def _target(scope: Scope) -> bytes:
    path: bytes = scope["raw_path"].partition(b"?")[0]
    query: bytes = scope.get("query_string", b"")
    return path + (b"?" + query if query else b"")


def _end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in headers if name.lower() not in _HOP_BY_HOP]
