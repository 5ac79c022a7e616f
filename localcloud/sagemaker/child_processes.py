"""Child processes: each in a group of its own, none outlives this process.

Every child's standard input is a pipe whose other end this process holds. When this process ends,
however it ends, the pipe closes and the child's guard (`containers.guard`) ends the child.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# Where `local` (or whatever package this one is put in) is imported from.
_IMPORT_ROOT = Path(__file__).resolve().parents[len(__package__.split("."))]


class Process:
    """A running child and its process group."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        self.pid = child.pid

    def wait(self, timeout: float | None = None) -> int | None:
        """Waits for the end; returns the exit code (negative: the signal), None on time-out."""
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    @property
    def running(self) -> bool:
        """Whether the child has not ended."""
        return self._child.poll() is None

    def signal(self, number: int) -> None:
        """Signals the whole group; nothing happens if it has ended."""
        if self._child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def stop(self, grace: float) -> None:
        """SIGTERM now, SIGKILL after `grace` seconds; does not wait."""
        self.signal(signal.SIGTERM)
        timer = threading.Timer(grace, self.signal, [signal.SIGKILL])
        timer.daemon = True
        timer.start()

    def release(self) -> None:
        """Lets the guard end what an ended child has left running in its group."""
        if self._child.stdin is not None:
            self._child.stdin.close()

    def kill(self) -> None:
        """SIGKILL to the group, and wait for the end."""
        self.signal(signal.SIGKILL)
        self._child.wait()


class Processes:
    """Every child of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Process] = set()
        self._closed = False

    def start(
        self, module: str, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str]
    ) -> Process:
        """Runs `python -m module arguments` in `folder`, its output appended to `folder/log`.

        The folder is not on the import path (`-P`): what a job downloads is data.

        Args:
            module: Dotted name of a package whose `__main__` begins with the guard.
            arguments: What follows on the command line.
            folder: Working folder.
            environment: The child's variables. It inherits none of this process's but PATH,
                so that no credentials reach it.

        Raises:
            RuntimeError: This process is shutting down.
        """
        complete = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            # Gone with the local cloud, as this process's own temporary files.
            "TMPDIR": tempfile.gettempdir(),
            **environment,
            "PYTHONPATH": str(_IMPORT_ROOT),
            "PYTHONUNBUFFERED": "1",
        }
        with self._lock, (folder / "log").open("ab") as log:
            if self._closed:
                raise RuntimeError("the local SageMaker is shutting down")
            child = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
                [sys.executable, "-P", "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=complete,
                start_new_session=True,
            )
            process = Process(child)
            self._running = {known for known in self._running if known.running} | {process}
        return process

    def close(self, grace: float = 2.0) -> None:
        """Ends every child: SIGTERM, then SIGKILL after `grace` seconds. Starts no more."""
        with self._lock:
            self._closed = True
            running = [process for process in self._running if process.running]
        for process in running:
            process.signal(signal.SIGTERM)
        deadline = time.monotonic() + grace
        for process in running:
            if process.wait(max(0.0, deadline - time.monotonic())) is None:
                process.kill()


def describe_exit(code: int) -> str:
    """How a process ended, for a person: `exit code: 1` or the signal's name.

    A container's exit code after a signal is 128 plus its number, which is what AWS shows.
    """
    if code >= 0:
        return f"exit code: {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}, exit code: {128 - code}"
    return f"killed by signal {-code}, exit code: {128 - code}"
