"""Who answers what comes in: the health check, SageMaker, or MiniStack."""

import asyncio
import json
import os

from localcloud.asgi import App, Message, Receive, Scope, Send
from localcloud.environment_variables import HEALTH_PATH
from localcloud.gateway.proxy import SageMakerProxy, is_sagemaker
from localcloud.gateway.sagemaker_process import SageMakerProcess

# What is given to a connection at once of a large answer.
_PIECE_BYTES = 1 << 20


class Gateway:
    """The ASGI app: health, SageMaker, and MiniStack for the rest."""

    def __init__(
        self,
        *,
        emulator: App,
        proxy: SageMakerProxy,
        gate: App,
        sagemaker: SageMakerProcess,
        instance: str,
    ) -> None:
        self._emulator = emulator
        self._proxy = proxy
        self._gate = gate
        self._sagemaker = sagemaker
        self._instance = instance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif is_sagemaker(scope):
            await self._gate(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == HEALTH_PATH:
            await self._health(send)
        else:
            await self._emulator(scope, receive, in_pieces(send))

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start MiniStack; end without it, since its shutdown imports what was never used.

        That costs a second (an SSH server) and there is nothing to save: all of it is in memory.
        """
        messages: asyncio.Queue[Message] = asyncio.Queue()
        running = asyncio.create_task(_run(self._emulator, scope, messages.get, send))
        await messages.put(await receive())
        await receive()
        running.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def _health(self, send: Send) -> None:
        body = {
            "status": "ok",
            "instance": self._instance,
            "pid": os.getpid(),
            "sagemaker": {
                "pid": self._sagemaker.pid,
                "runs": self._sagemaker.alive,
                "alive": self._sagemaker.alive and await self._proxy.healthy(),
            },
        }
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def in_pieces(send: Send) -> Send:
    """Send a large body a piece at a time, each when the connection has taken the one before.

    MiniStack answers with an object of S3 whole. Given to a connection at once, what the client has
    not yet read of it would be copied, three times over: gigabytes for a file of one.
    """

    async def sent(message: Message) -> None:
        body = memoryview(message.get("body", b""))
        if message["type"] != "http.response.body" or len(body) <= _PIECE_BYTES:
            await send(message)
            return
        for start in range(0, len(body), _PIECE_BYTES):
            end = start + _PIECE_BYTES
            more = end < len(body) or message.get("more_body", False)
            await send({**message, "body": bytes(body[start:end]), "more_body": more})

    return sent


async def _run(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
