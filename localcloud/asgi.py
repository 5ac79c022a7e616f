"""The types of an ASGI app, and reading a request's body.

Specification: https://asgi.readthedocs.io/en/latest/specs/www.html.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def rest_of(first: Message, receive: Receive) -> AsyncIterator[bytes]:
    """A request's body as it arrives, from its first message on."""
    message = first
    while True:
        yield message.get("body", b"")
        if not message.get("more_body"):
            return
        message = await receive()


async def whole_body(receive: Receive) -> bytes:
    """A request's body, once all of it has arrived."""
    return b"".join([part async for part in rest_of(await receive(), receive)])
