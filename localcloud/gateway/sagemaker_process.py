"""The SageMaker process as the gateway's child: started, watched and stopped with it."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from localcloud import folders

logger = logging.getLogger(__name__)

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class SageMakerProcess:
    """Runs `command --uds PATH --jobs DIR --aws-endpoint URL` beside the gateway.

    It gets a process group of its own, so that what it leaves behind (a job, a server) can be
    ended with it. It is not restarted when it dies: its records would be gone and every later
    answer wrong. Calls then get an error that names its log.
    """

    def __init__(
        self,
        *,
        command: Sequence[str],
        uds: Path,
        jobs: Path,
        log: Path,
        endpoint_url: str,
        environment: Mapping[str, str],
    ) -> None:
        self._command = [
            *command,
            *("--uds", str(uds), "--jobs", str(jobs), "--aws-endpoint", endpoint_url),
        ]
        self._uds = uds
        self._jobs = jobs
        self._log = log
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id, or None before it starts."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether the process is running."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process and wait until its socket is there.

        Raises:
            RuntimeError: The process ended, or did not listen within 30 s; with the log's end.
        """
        self._uds.unlink(missing_ok=True)
        self._jobs.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not await self._listening():
            if not self.alive or time.monotonic() > deadline:
                await self.stop()
                raise RuntimeError(
                    f"The SageMaker process did not start. The end of {self._log}:\n"
                    + folders.tail(self._log)
                )
            await asyncio.sleep(0.02)
        self._watch = asyncio.create_task(self._report_end())

    async def stop(self) -> None:
        """End the process and everything in its group; return when it is gone."""
        if self._watch:
            self._watch.cancel()
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                logger.warning("The SageMaker process did not stop in time and is killed.")
        with contextlib.suppress(ProcessLookupError, PermissionError):  # usually nobody is left
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        self._uds.unlink(missing_ok=True)

    async def _listening(self) -> bool:
        try:
            _, writer = await asyncio.open_unix_connection(str(self._uds))
        except OSError:
            return False
        writer.close()
        return True

    async def _report_end(self) -> None:
        assert self._process is not None  # noqa: S101 - set by start, which starts this task
        code = await self._process.wait()
        logger.error("The SageMaker process ended with code %s. See %s", code, self._log)
