"""What a function's template process runs: it imports the function once and forks for each process.

This file's text goes in front of MiniStack's worker script, so it must not import the project. A
template is a worker that stops once its function is imported and waits. For each process that is
asked for it forks: the child goes on where a worker would, as a freshly started execution
environment whose imported packages are pages it shares with the others.
"""

import os
from typing import TextIO

# The template's end of the socket to the gateway; a process that was not forked has none.
_spine_control = os.environ.pop("_SPINE_TEMPLATE", None)


def _spine_ready(ready: TextIO, *, failed: bool = False) -> None:
    """Returns in the process that is to answer invocations.

    Args:
        ready: Where a template says that its function has been imported.
        failed: Whether it could not be: the next process is to try again.
    """
    if _spine_control is None:
        _spine_guard()
        return
    import gc
    import json
    import select
    import signal
    import socket
    import threading
    import warnings

    ready.write(json.dumps({"status": "ready", "cold": True}) + "\n")
    ready.flush()
    control = socket.socket(fileno=int(_spine_control))
    # A thread does not survive a fork: such a function is imported anew for each process.
    alone = failed or threading.active_count() > 1
    # What has been imported stays, so that collecting garbage does not copy its pages.
    gc.collect()
    gc.freeze()
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(tell)
    while True:
        readable, _, _ = select.select([control.fileno(), told], [], [])
        if told in readable:
            os.read(told, 4096)
            _spine_collect(control.fileno())
        if control.fileno() not in readable:
            continue
        data, streams, _, _ = socket.recv_fds(control, 4096, 3)
        if not data:
            os._exit(0)
        with warnings.catch_warnings():
            # Libraries for linear algebra keep threads, and prepare for a fork themselves.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = 0 if alone else os.fork()
        if pid == 0:
            break
        for stream in streams:
            os.close(stream)
        control.sendall(json.dumps({"forked": pid}).encode() + b"\n")
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if alone:
        control.sendall(json.dumps({"alone": os.getpid()}).encode() + b"\n")
    control.close()
    os.close(told)
    os.close(tell)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ["AWS_LAMBDA_LOG_STREAM_NAME"] = data.decode()
    _spine_guard()


def _spine_collect(control: int) -> None:
    """Tells the gateway which children have ended, how, and how much memory they took (KiB)."""
    import json

    while True:
        try:
            pid, status, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        end = {
            "ended": pid,
            "code": os.waitstatus_to_exitcode(status),
            "peak": used.ru_maxrss,
        }
        os.write(control, json.dumps(end).encode() + b"\n")


def _spine_guard() -> None:
    """Ends this process when the gateway has ended, even in the middle of an invocation."""
    import select
    import signal
    import threading

    def watch() -> None:
        gateway = select.poll()
        # Asked for nothing: the other end's closing is reported all the same, and nothing is read.
        gateway.register(0, 0)
        gateway.poll()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="spine-guard", daemon=True).start()
