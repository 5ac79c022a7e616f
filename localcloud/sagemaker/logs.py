"""CloudWatch Logs: the lines of a job's log files, put where clients look for them while it runs.

Groups and streams are named as the service names them, which is what the SageMaker SDK's
`fit(logs=True)` and `spine logs` search by:
https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.connection import Connection

TRAINING, TRANSFORM, PROCESSING, ENDPOINTS = (
    f"/aws/sagemaker/{name}"
    for name in ("TrainingJobs", "TransformJobs", "ProcessingJobs", "Endpoints")
)
# How often files that may grow are looked at.
_POLL_SECONDS = 0.5
# Source: the API reference of PutLogEvents: 1,048,576 bytes and 10,000 events a call, 26 bytes of
# overhead each; an event of more than 256 KB was refused for years and still is by emulators.
_BATCH_BYTES, _BATCH_EVENTS, _EVENT_OVERHEAD = 1_000_000, 10_000, 26
_LINE_BYTES = 250_000
_log = logging.getLogger(__name__)

Heard = Callable[[list[str]], None]


class Tail:
    """One log file on its way to one stream."""

    def __init__(
        self, logs: "Logs", path: Path, group: str, stream: str, heard: Heard | None = None
    ) -> None:
        self._logs = logs
        self._path = path
        self._group = group
        self._stream = stream
        self._heard = heard
        self._lock = threading.Lock()
        self._position = 0
        self._rest = b""
        self._exists = False
        self._given_up = False

    def send(self, *, last: bool = False) -> None:
        """Sends the lines written since the last time; `last` includes one without its end."""
        with self._lock:
            if self._given_up or not self._path.exists():
                return
            with self._path.open("rb") as file:
                file.seek(self._position)
                content = file.read()
            self._position += len(content)
            whole, _, self._rest = (self._rest + content).rpartition(b"\n")
            lines = whole.split(b"\n") if whole else []
            if last and self._rest:
                lines.append(self._rest)
                self._rest = b""
            # CloudWatch Logs takes no empty events.
            lines = [line for line in (found.rstrip(b"\r") for found in lines) if line.strip()]
            try:
                self._put(lines)
            except (ClientError, BotoCoreError) as error:
                # The file has every line; a job must not fail or wait for its log's copy.
                self._given_up = True
                _log.warning("%s is not copied to %s: %s", self._path, self._group, error)
            self._tell(lines)

    def finish(self) -> None:
        """Sends what is left and follows the file no more."""
        self._logs.forget(self)
        self.send(last=True)

    def _tell(self, lines: list[bytes]) -> None:
        if self._heard is None or not lines:
            return
        try:
            self._heard([line.decode(errors="replace") for line in lines])
        except (ClientError, BotoCoreError) as error:
            self._heard = None
            _log.warning("The metrics of %s are not sent: %s", self._path, error)

    def _put(self, lines: list[bytes]) -> None:
        if not lines:
            return
        if not self._exists:
            self._logs.create(self._group, self._stream)
            self._exists = True
        now = int(time.time() * 1000)
        batch: list[dict[str, Any]] = []
        size = 0
        for line in lines:
            length = min(len(line), _LINE_BYTES) + _EVENT_OVERHEAD
            if batch and (size + length > _BATCH_BYTES or len(batch) == _BATCH_EVENTS):
                self._logs.put(self._group, self._stream, batch)
                batch, size = [], 0
            message = line[:_LINE_BYTES].decode(errors="replace")
            batch.append({"timestamp": now, "message": message})
            size += length
        self._logs.put(self._group, self._stream, batch)


class Logs:
    """Every log that is being followed, looked at by one thread.

    Without an endpoint in the settings nothing is sent: AWS's own logs are not this process's.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._tails: set[Tail] = set()
        self._groups: set[str] = set()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, path: Path, group: str, stream: str, heard: Heard | None = None) -> Tail:
        """Copies a file's lines to a stream, until `Tail.finish`.

        Args:
            path: The file; it need not exist yet.
            group: `TRAINING` and the like.
            stream: `<job>/algo-1-<milliseconds>` for instance; `stream_of` makes one.
            heard: Is given the lines too, in the same batches.
        """
        tail = Tail(self, path, group, stream, heard)
        if self._connection.client("logs") is not None:
            with self._lock:
                self._tails.add(tail)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
                    self._thread.start()
        return tail

    def forget(self, tail: Tail) -> None:
        """Leaves a file alone."""
        with self._lock:
            self._tails.discard(tail)

    def close(self) -> None:
        """Ends the thread; what has been written so far stays in the files."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            with self._lock:
                tails = list(self._tails)
            for tail in tails:
                tail.send()

    def create(self, group: str, stream: str) -> None:
        """Makes a stream, and its group when it is the first of it."""
        client = self._connection.client("logs")
        if client is None:
            return
        if group not in self._groups:
            try:
                client.create_log_group(logGroupName=group)
            except client.exceptions.ResourceAlreadyExistsException:
                _log.debug("%s exists", group)
            self._groups.add(group)
        try:
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        except client.exceptions.ResourceAlreadyExistsException:
            _log.debug("%s of %s exists", stream, group)

    def put(self, group: str, stream: str, events: list[dict[str, Any]]) -> None:
        """Sends one batch of events."""
        client = self._connection.client("logs")
        if client is not None:
            client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def stream_of(job: str, host: str) -> str:
    """The stream of a job's host: `<job>/algo-1-<milliseconds>`."""
    return f"{job}/{host}-{int(time.time() * 1000)}"
