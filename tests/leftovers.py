"""Nothing that a test run starts outlives it, however the run ends.

Every process that tests start inherits a mark: `SPINE_BOUND_TO`, the id of pytest's process. A
local cloud ends by itself when that process does (`localcloud.gateway.server`). What else bears the
mark (the command line, the CDK, an emulated S3, a worker of pytest-xdist) is ended by a process
that waits for pytest's end: this file, as a program. It reads the marks in `/proc`; on other
systems only the clouds end by themselves.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import localcloud
from localcloud.environment_variables import BOUND_TO
from localcloud.sagemaker.child_processes import wait_for_end

# The time that a cloud gets to stop before it is killed.
_GRACE_SECONDS = 25.0


def watch() -> None:
    """Mark all that this process starts from now on, and end it once this process has ended."""
    # Without the mark, and out of reach of what is sent to the group of a terminal or a runner. By
    # its path, since a package that is installed calls itself `tests`, too.
    environment = {name: value for name, value in os.environ.items() if name != BOUND_TO}
    subprocess.Popen(
        [sys.executable, "-P", __file__, str(os.getpid())],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    localcloud.end_clouds_with_this_process()


def marked(pid: int) -> list[int]:
    """The running processes that are bound to process `pid`."""
    mark = f"{BOUND_TO}={pid}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        # It may have ended meanwhile, or be somebody else's.
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def end(pid: int) -> None:
    """Ask all that is bound to process `pid` to end, then make it."""
    asked: set[int] = set()
    deadline = time.monotonic() + _GRACE_SECONDS
    while found := marked(pid):
        late = time.monotonic() > deadline
        for each in found if late else set(found) - asked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL if late else signal.SIGTERM)
        asked.update(found)
        time.sleep(0.1)


if __name__ == "__main__":
    wait_for_end(int(sys.argv[1]))
    end(int(sys.argv[1]))
