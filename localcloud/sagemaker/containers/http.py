"""A small HTTP/1.1 server for containers: quick to import and quick to answer.

A framework would take as long to import as XGBoost. The only client is the process that started
the container, over a Unix domain socket.
"""

import asyncio
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

# Above this, a request is worked on in a thread, so that small ones are answered meanwhile.
_INLINE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Request:
    """One request; header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """One answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Response]


def serve(handler: Handler, socket: Path, *, threads: int) -> None:
    """Serves until SIGTERM.

    Args:
        handler: Answers a request; called in several threads at once.
        socket: Path of the Unix domain socket to make.
        threads: How many large requests are worked on at once.
    """
    asyncio.run(_serve(handler, socket, threads))


async def _serve(handler: Handler, socket: Path, threads: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    pool = ThreadPoolExecutor(threads)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read(reader)) is not None:
                if len(request.body) > _INLINE_BYTES:
                    response = await loop.run_in_executor(pool, handler, request)
                else:
                    response = handler(request)
                writer.write(_encode(response))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_unix_server(connected, str(socket), limit=1 << 20)
    await stopped.wait()
    server.close()
    pool.shutdown(wait=False, cancel_futures=True)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)


def _encode(response: Response) -> bytes:
    head = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"content-type: {response.content_type}",
        f"content-length: {len(response.body)}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
    ]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + response.body
