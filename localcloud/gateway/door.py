"""Who may call the local cloud: programs that hold its access key, and no page of a browser.

The gateway listens on the loopback address, where every page that the person opens can send
requests too: by script, by form, by image, and by a name of its own that it lets point to
127.0.0.1 (DNS rebinding). A port chosen at random is no protection; it is found in a moment. So the
outermost layer of the gateway refuses, whatever the path:

* any `Host` but 127.0.0.1, localhost or [::1] with the port: a rebound name betrays itself here,
* any `Origin`, unless a setting names it: browsers send it with every script's and form's POST,
* any `Sec-Fetch-Site` but `none`, which stands for an address that the person typed,
* any request without an access key of this cloud: its own (see `localcloud.credentials`), or
  one that it has issued since (STS, IAM),
* every WebSocket.

Only the key's id is checked here. It is 160 random bits from a file that only its owner can read,
never leaves the machine, and is in no answer to a page: to know it is to be allowed in. Checking
the signature as well would mean to hold back and hash each body, and would stop no page more. Under
`--enforce-iam` the emulator verifies signatures besides.

Without a key come: the health check, which only tells that the cloud runs, and what functions tell
CloudFormation, by an address with a random token that is good for one answer.
"""

import hmac
import json
from collections.abc import Callable, Collection, Mapping
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from localcloud.asgi import App, Message, Receive, Scope, Send
from localcloud.credentials import Credentials
from localcloud.environment_variables import HEALTH_PATH, HOST

_NAMES = (HOST, "localhost", "[::1]")
# Where a custom resource's function answers and a wait condition is signalled; the rest is random.
_TOKEN_PATHS = ("/_ministack/cfn-response/", "/_ministack/cfn-signal/")
_HTTP_PORT = 80

# Finds the id of the key that a request is signed with, or "", by its headers and its query.
KeyOf = Callable[[Mapping[str, str], Mapping[str, list[str]]], str]


class Door:
    """An ASGI app that passes on the requests that may come in.

    Args:
        app: What is behind it.
        port: The gateway's port.
        credentials: The cloud's own.
        key_of: How the emulator finds the access key of a request; both must judge the same one.
        issued: Tells whether the cloud has issued an access key itself.
        origins: Origins whose pages may call the cloud, if they have its key.
    """

    def __init__(
        self,
        app: App,
        *,
        port: int,
        credentials: Credentials,
        key_of: KeyOf,
        issued: Callable[[str], bool],
        origins: Collection[str] = (),
    ) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}".encode() for name in _NAMES}
        if port == _HTTP_PORT:  # which clients leave out
            self._hosts |= {name.encode() for name in _NAMES}
        self._own = credentials.access_key_id.encode()
        # What the clients' own signatures begin with: most requests need no further look.
        self._signed = b"AWS4-HMAC-SHA256 Credential=" + self._own + b"/"
        self._key_of = key_of
        self._issued = issued
        self._origins = {origin.encode() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        refusal = self._foreign(headers)
        if refusal:
            await _answer(send, 403, b"text/plain; charset=utf-8", refusal.encode())
            return
        origin = next((value for name, value in headers if name == b"origin"), None)
        if origin is not None and scope["method"] == "OPTIONS":
            await _preflight(send, origin, headers)
            return
        answer = _with_origin(send, origin)
        refusal = self._unsigned(scope)
        if refusal:
            await _answer(answer, 403, *_as_error(scope, refusal))
            return
        await self._app(scope, receive, answer)

    def _foreign(self, headers: list[tuple[bytes, bytes]]) -> str | None:
        """Why a request comes from a page, if it does."""
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return (
                f"The local cloud refuses the header Host: {_shown(hosts)}. Ask for it by its own "
                f"address, one of {', '.join(sorted(host.decode() for host in self._hosts))}.\n"
            )
        origins = [value for name, value in headers if name == b"origin"]
        if origins:
            if len(origins) == 1 and origins[0] in self._origins:
                return None
            return (
                f"The local cloud refuses the header Origin: {_shown(origins)}. Pages of browsers "
                "may not call it. To allow those of an origin: spine up --allow-origin ORIGIN\n"
            )
        sites = [value for name, value in headers if name == b"sec-fetch-site"]
        if any(site != b"none" for site in sites):
            return (
                f"The local cloud refuses the header Sec-Fetch-Site: {_shown(sites)}. Pages of "
                "browsers may not call it.\n"
            )
        return None

    def _unsigned(self, scope: Scope) -> str | None:
        """Why a request has no access key that is let in, if so."""
        method, path = scope["method"], scope["path"]
        if path == HEALTH_PATH and method in ("GET", "HEAD"):
            return None
        if method == "PUT" and path.startswith(_TOKEN_PATHS):
            return None
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if given and hmac.compare_digest(given[0][: len(self._signed)], self._signed):
            return None
        # Repeated headers are joined by the emulator, too.
        headers = {"authorization": b", ".join(given).decode("latin-1")} if given else {}
        query: dict[str, list[str]] = {}
        if not headers:
            query = parse_qs(scope["query_string"].decode("latin-1"))
        key = self._key_of(headers, query)
        if hmac.compare_digest(key.encode("latin-1", "replace"), self._own) or (
            key and self._issued(key)
        ):
            return None
        what = f"The access key id {key} is not" if key else "The request is not signed by a key of"
        return f'{what} this local cloud\'s own. Get that into your shell: eval "$(spine env)"'


def _shown(values: list[bytes]) -> str:
    return ", ".join(value.decode("latin-1") for value in values) or "(none)"


def _with_origin(send: Send, origin: bytes | None) -> Send:
    """Take the emulator's CORS headers off each answer; put on what an allowed origin needs."""
    own = [] if origin is None else [*_allowing(origin), (b"access-control-expose-headers", b"*")]

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if not name.lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": kept + own}
        await send(message)

    return sent


def _allowing(origin: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]


async def _preflight(send: Send, origin: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Let an allowed origin's page send what it wants to: its key still decides."""
    asked = dict(headers)
    await _answer(
        send,
        204,
        b"text/plain",
        b"",
        *_allowing(origin),
        (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
        (b"access-control-allow-headers", asked.get(b"access-control-request-headers", b"*")),
        (b"access-control-max-age", b"600"),
    )


def _as_error(scope: Scope, message: str) -> tuple[bytes, bytes]:
    """A type and a body of which the service's client makes an error with the message."""
    headers = dict(scope["headers"])
    text, code = escape(message), "InvalidClientTokenId"
    if headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded"):
        body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{text}</Message></Error>"
        return b"text/xml", f"{body}</ErrorResponse>".encode()
    if b"/s3/aws4_request" in headers.get(b"authorization", b""):
        body = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
        return b"application/xml", body.encode()
    return b"application/json", json.dumps({"__type": code, "message": message}).encode()


async def _answer(
    send: Send, status: int, kind: bytes, body: bytes, *headers: tuple[bytes, bytes]
) -> None:
    own = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": body})
