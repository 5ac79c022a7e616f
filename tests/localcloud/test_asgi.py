"""Reading a request's body as ASGI delivers it."""

import asyncio
from typing import Any

from localcloud.asgi import whole_body


def test_a_body_in_several_messages_is_put_together() -> None:
    """Until the message that says there is no more; what comes behind it is left alone."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"one ", "more_body": True},
        {"type": "http.request", "more_body": True},
        {"type": "http.request", "body": b"two"},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    assert asyncio.run(whole_body(receive)) == b"one two"
    assert [message["type"] for message in messages] == ["http.disconnect"]
