"""A model server: one process that holds one model, spoken to over a Unix domain socket."""

import asyncio
import http.client
import itertools
import json
import socket
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.sagemaker import algorithms
from localcloud.sagemaker.child_processes import Process, describe_exit
from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.jobs import Platform
from localcloud.sagemaker.logs import Tail
from localcloud.sagemaker.storage import parse_uri

# How often a server that is starting is asked whether it is ready, in seconds.
_PING_INTERVAL = 0.01
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Answer:
    """What a container answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ModelServer:
    """A model's container, from its start to its end.

    Args:
        platform: Where it runs.
        container: A model's `PrimaryContainer`.
        folder: Its folder, with the container's layout.
        role: The model's execution role, which reads the model's data.
        group: The log group that its log is copied to, and the stream's name before the instance.
    """

    def __init__(
        self,
        platform: Platform,
        container: Mapping[str, Any],
        folder: Path,
        role: str | None = None,
        *,
        group: tuple[str, str] | None = None,
    ) -> None:
        self._platform = platform
        self._container = container
        self._folder = folder
        self._role = role
        self._group = group
        self._tail: Tail | None = None
        self._socket = platform.sockets / str(next(_numbers))
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.process: Process | None = None

    def launch(self, environment: Mapping[str, str]) -> Process:
        """Fetches the model and starts the process, without waiting until it serves.

        Raises:
            JobError: The model cannot be fetched or unpacked.
        """
        image = algorithms.find(self._container["Image"])
        if url := self._container.get("ModelDataUrl"):
            storage = self._platform.storage_of(self._role)
            storage.fetch_model(parse_uri(url), self._folder / "model")
        (self._folder / "container.json").write_text(
            json.dumps(
                {
                    "image": image.uri,
                    "image_library": f"{image.algorithm.library} {image.version}",
                    "library": f"{image.algorithm.library} {image.algorithm.installed()}",
                }
            )
        )
        log = self._folder / "log"
        log.write_text(f"{image.note}\n")
        if self._group is not None:
            group, owner = self._group
            # Instances are named as EC2 names them: 17 hexadecimal digits.
            stream = f"{owner}/i-{uuid.uuid4().hex[:17]}"
            self._tail = self._platform.logs.follow(log, group, stream)
        self.process = self._platform.processes.start(
            image.algorithm.container,
            ["--image-tag", image.tag, "serve", "--socket", str(self._socket)],
            folder=self._folder,
            environment={
                "AWS_REGION": self._platform.settings.region,
                **self._container.get("Environment", {}),
                **environment,
                "OMP_NUM_THREADS": "1",
                "SAGEMAKER_BASE_DIR": str(self._folder),
            },
        )
        return self.process

    def wait_until_ready(self, *, subject: str, timeout: float) -> None:
        """Waits for the first answered `/ping`.

        Raises:
            JobError: The process has ended, or `timeout` seconds have passed.
        """
        process = self.process
        deadline = time.monotonic() + timeout
        while process is not None and process.running and time.monotonic() < deadline:
            with suppress(OSError, http.client.HTTPException):
                if self.request("GET", "/ping", timeout=2).status == http.HTTPStatus.OK:
                    return
            time.sleep(_PING_INTERVAL)
        code = process.wait(0) if process else None
        detail = "no answer in time" if code is None else describe_exit(code)
        raise JobError(
            f"{subject} did not pass the ping health check. Please check CloudWatch logs for this "
            f"endpoint. Locally: {detail}; last line of {self._folder / 'log'}: {self.last_line()}"
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout: float,
    ) -> Answer:
        """Sends one request on a connection of its own.

        Raises:
            OSError: The server does not answer (`TimeoutError`: not in time).
            HTTPException: It stops in the middle of its answer.
        """
        connection = _UnixConnection(self._socket, timeout)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    async def invoke(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends an invocation on a connection that is kept for the next.

        Raises:
            ConnectionError: The server is gone.
        """
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(
            ["POST /invocations HTTP/1.1", f"content-length: {len(body)}", *lines, "", ""]
        ).encode("latin-1")
        while True:
            kept = bool(self._idle)
            reader, writer = (
                self._idle.pop() if kept else await asyncio.open_unix_connection(str(self._socket))
            )
            try:
                writer.write(head)
                writer.write(body)
                await writer.drain()
                answer = await _read_answer(reader)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                writer.close()
                if not kept:
                    raise ConnectionError("the model server has closed the connection") from error
            except BaseException:
                # Cancelled in the middle of an answer: the rest of it must not meet the next.
                writer.close()
                raise
            else:
                self._idle.append((reader, writer))
                return answer

    def last_line(self) -> str:
        """The last line of the log."""
        with suppress(OSError):
            lines = (self._folder / "log").read_text(errors="replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""

    def stop(self) -> None:
        """Ends the process at once; it holds nothing worth saving."""
        if self.process is not None:
            self.process.kill()
        if self._tail is not None:
            self._tail.finish()
        self._socket.unlink(missing_ok=True)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


async def _read_answer(reader: asyncio.StreamReader) -> Answer:
    first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(int(first.split(" ", 2)[1]), headers, body)
