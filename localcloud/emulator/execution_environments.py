"""The processes that functions run in: forked from one that has imported them, and never too many.

MiniStack starts a process for every concurrent call of a function, and each imports the function's
packages for itself: a second of work and up to 150 MB, thirty times over when thirty state machines
call the same function. Here the first call starts a template (see
`localcloud.emulator.forking`) and every process is forked from it in milliseconds, its
packages being pages that all of them share. How many run at once is limited by
`localcloud.sagemaker.concurrency.ConcurrencyLimit`, and the least recently used idle ones end
first. What Lambda itself limits (reserved concurrency) stays MiniStack's.

The REPORT line of a call's log gives the memory of the process that answered it, like Lambda's: the
most it has ever had, the calls before included.

Linux only: elsewhere system libraries do not survive a fork, and MiniStack's own way is kept.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from localcloud import hooks
from localcloud.sagemaker import usage
from localcloud.sagemaker.concurrency import ConcurrencyLimit

# Of 512 MB each, so that a small machine runs few; a core is well used by three that mostly wait.
_CALLS_A_CORE = 3
_BYTES_A_CALL = 512 * 1024**2
_FEWEST_CALLS = 4
# Seconds in which no call has begun or ended, after which one goes ahead beyond the limit.
_STALL_SECONDS = 5.0
# Templates kept; a template that has ended costs the next call an import.
_MOST_TEMPLATES = 24
# Lambda gives a function's start 10 s, then starts again with the function's own timeout.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
_INIT_SECONDS = 10.0

_launching = threading.local()
# The memory of the process that this thread's last call ran in.
_called = threading.local()
_templates: dict[str, "Template"] = {}
_templates_lock = threading.Lock()
_starting: dict[str, threading.Lock] = {}
_calls = ConcurrencyLimit(_FEWEST_CALLS, stall_seconds=_STALL_SECONDS)


def default_limit() -> int:
    """How many calls of functions run at once: by cores, and by memory on a small machine."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    with contextlib.suppress(ValueError, OSError):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return max(_FEWEST_CALLS, min(_CALLS_A_CORE * cores, memory // _BYTES_A_CALL))
    return max(_FEWEST_CALLS, _CALLS_A_CORE * cores)


def configure(*, limit: int | None = None) -> None:
    """Set how many calls of functions run at once; `default_limit` when left out."""
    global _calls  # noqa: PLW0603 (the module's, as the emulator's register of processes is)
    _calls = ConcurrencyLimit(limit or default_limit(), stall_seconds=_STALL_SECONDS)


@hooks.uses(
    "ministack.services.lambda_svc:_invoke_depth",
    reason="whether a function was called by another one",
)
@contextlib.contextmanager
def slot() -> Iterator[None]:
    """Hold one of the slots of calls of functions; idle processes make room for it.

    A function that another function calls is in its caller's slot: it never waits for one.
    """
    if lambda_svc._invoke_depth.get() > 1:
        yield
        return
    with _calls.slot():
        yield
    # To fork another one costs milliseconds.
    _end_idle(max(2, _calls.limit // 2))


def stop_templates() -> None:
    """End every template."""
    with _templates_lock:
        found = list(_templates.values())
        _templates.clear()
    for template in found:
        template.close()


@hooks.uses("ministack.core.lambda_runtime:_workers", reason="every process of every function")
@hooks.uses("ministack.core.lambda_runtime:_lock", reason="guards the register of processes")
@hooks.uses(
    "ministack.core.lambda_runtime:kill_workers",
    reason="ends idle processes",
    parameters=("workers",),
)
def _end_idle(most: int) -> None:
    """End the least recently used idle processes beyond `most`, whatever function they are of."""
    with lambda_runtime._lock:
        pools = lambda_runtime._workers
        idle = sorted(
            ((worker, key) for key, pool in pools.items() for worker in pool if not worker.in_use),
            key=lambda found: float(found[0].last_used),
        )
        surplus = idle[: max(0, len(idle) - most)]
        for worker, key in surplus:
            pools[key].remove(worker)
            if not pools[key]:
                del pools[key]
    if surplus:
        lambda_runtime.kill_workers([worker for worker, _ in surplus])


class _Subprocess:
    """The module `subprocess` as MiniStack's workers see it: a template keeps its socket."""

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, *arguments: Any, **options: Any) -> Any:  # noqa: N802 (the module's name)
        """Start a process."""
        control: int | None = getattr(_launching, "control", None)
        if control is not None:
            options["pass_fds"] = (control,)
            options["env"]["_SPINE_TEMPLATE"] = str(control)
        return subprocess.Popen(*arguments, **options)  # noqa: S603 (MiniStack's own call)


@hooks.edits(
    "ministack.core.lambda_runtime:subprocess",
    reason="a template needs a socket to the gateway",
    platform="linux",
)
def _with_sockets(_: Any) -> _Subprocess:
    return _Subprocess()


class Forked:
    """A process forked from a template, with what MiniStack uses of `subprocess.Popen`."""

    def __init__(self, pid: int, streams: tuple[int, int, int]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._peak = 0
        given, answered, said = streams
        self.stdin = os.fdopen(given, "w", buffering=1, encoding="utf-8")
        self.stdout = os.fdopen(answered, encoding="utf-8")
        self.stderr = os.fdopen(said, encoding="utf-8", errors="replace")
        self._over = threading.Event()

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end.

        Raises:
            TimeoutExpired: It has not come in time.
        """
        if not self._over.wait(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return self.returncode

    def terminate(self) -> None:
        """Ask the process to end."""
        self._signal(15)

    def kill(self) -> None:
        """End the process."""
        self._signal(9)

    def _signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def peak(self) -> int:
        """The most bytes it has had resident; 0 where nobody knows."""
        if self.returncode is None:
            self._peak = usage.peak(self.pid) or self._peak
        return self._peak

    def ended(self, code: int, peak: int = 0) -> None:
        """Take note of the end, which its template has seen, and of its memory."""
        self._peak = max(self._peak, peak)
        self.returncode = code
        self._over.set()
        with contextlib.suppress(OSError, ValueError):
            self.stdin.close()


class Template:
    """A process that has imported a function and forks others from itself."""

    def __init__(self, worker: Any) -> None:
        """Start it and wait until the function is imported, well or not."""
        self.worker = worker
        self.used = time.monotonic()
        # Whether it forks no more: it has become a process of the function itself, or has ended.
        self.spent = False
        self._retired = False
        self._children: dict[int, Forked] = {}
        self._lock = threading.Lock()
        self._forks = threading.Lock()
        self._answers: list[dict[str, Any]] = []
        self._answered = threading.Condition(self._lock)
        self._control, theirs = socket.socketpair()
        _launching.control = theirs.fileno()
        seconds = _INIT_SECONDS + float(worker.config.get("Timeout", 3))
        late = threading.Timer(seconds, self._overdue)
        late.daemon = True
        late.start()
        self._late = False
        try:
            lambda_runtime.Worker._spawn(worker)
        except RuntimeError as error:
            self._control.close()
            worker._discard_tmpdir()
            if self._late:
                raise RuntimeError(f"Task timed out after {seconds:.2f} seconds") from error
            raise
        finally:
            late.cancel()
            _launching.control = None
            theirs.close()
        threading.Thread(
            target=self._read, name=f"template-{worker.func_name}", daemon=True
        ).start()

    def fork(self, log_stream: str) -> Forked | None:
        """A new process of the function, or None when this template forks no more."""
        ours, theirs = zip(*(_pipe(number) for number in range(3)), strict=True)
        answer = None
        with self._forks:
            if not self.spent:
                with contextlib.suppress(OSError):
                    socket.send_fds(self._control, [log_stream.encode()], list(theirs))
                    answer = self._answer()
            for stream in theirs:
                os.close(stream)
            if answer is None:
                self.spent = True
                for stream in ours:
                    os.close(stream)
                return None
            return self._child(answer, ours)

    def retire(self) -> None:
        """End as soon as no process is left that was forked from it."""
        with self._lock:
            self._retired = True
            idle = not self._children
        if idle:
            self.close()

    def close(self) -> None:
        """End now; what was forked from it is ended by its own pipes."""
        self.spent = True
        self._shut()
        proc = self.worker._proc
        if proc is not None and proc.poll() is None:
            proc.kill()
            proc.wait()
        self.worker._discard_tmpdir()

    def _shut(self) -> None:
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)

    def _overdue(self) -> None:
        self._late = True
        proc = self.worker._proc
        if proc is not None:
            proc.kill()

    def _answer(self) -> dict[str, Any] | None:
        with self._answered:
            self._answered.wait_for(lambda: self._answers or self.spent)
            return self._answers.pop(0) if self._answers else None

    def _child(self, answer: dict[str, Any], streams: tuple[int, int, int]) -> Forked:
        pid: int = answer.get("forked") or answer["alone"]
        child = Forked(pid, streams)
        with self._lock:
            self.used = time.monotonic()
            if "code" in answer:
                child.ended(answer["code"], answer["peak"] << 10)
            else:
                self._children[pid] = child
        return child

    def _read(self) -> None:
        """Hear of forks and of ends, until the template itself ends."""
        alone = None
        with self._control.makefile("rb") as lines:
            for line in lines:
                told = json.loads(line)
                with self._answered:
                    if "ended" not in told:
                        alone = told.get("alone", alone)
                        self.spent = self.spent or alone is not None
                        self._answers.append(told)
                        self._answered.notify_all()
                    elif child := self._children.pop(told["ended"], None):
                        child.ended(told["code"], told["peak"] << 10)
                    else:
                        # It ended before anybody took the answer that it had begun.
                        for answer in self._answers:
                            if answer.get("forked") == told["ended"]:
                                answer.update(told)
                    over = self._retired and not self._children
                if over:
                    self._shut()
        code = self.worker._proc.wait() if self.worker._proc else -9
        with self._answered:
            self.spent = True
            orphans = dict(self._children)
            self._children.clear()
            self._answered.notify_all()
        for pid, child in orphans.items():
            if pid != alone:
                child.kill()
            child.ended(code if pid == alone else -9)
        self.worker._discard_tmpdir()
        self._control.close()


def _pipe(number: int) -> tuple[int, int]:
    """A pipe for a standard stream: the gateway's end and the process's."""
    reads, writes = os.pipe()
    return (writes, reads) if number == 0 else (reads, writes)


class ForkingWorker(lambda_runtime.Worker):  # type: ignore[misc] # the emulator is untyped
    """MiniStack's worker, its process forked from the function's template."""

    @hooks.overrides(
        "ministack.core.lambda_runtime:Worker.invoke",
        reason="a call's log does not tell how much memory its process took",
    )
    def invoke(
        self,
        event: Any,
        request_id: str,
        *,
        trace_id: Any = None,
        depth: Any = None,
        durable: Any = None,
        invoked_function_arn: Any = None,
    ) -> dict[str, Any]:
        """Answer a call, and remember for its log how much memory the process took."""
        _called.peak = 0
        answer: dict[str, Any] = super().invoke(
            event,
            request_id,
            trace_id=trace_id,
            depth=depth,
            durable=durable,
            invoked_function_arn=invoked_function_arn,
        )
        _called.peak = self._forked.peak()
        return answer

    @hooks.overrides(
        "ministack.core.lambda_runtime:Worker._spawn",
        reason="every process of a function imports it for itself",
    )
    def _spawn(self) -> None:
        from ministack.core.responses import new_uuid

        self._proc = None
        for _ in range(3):
            template = _template(self.func_name, self.config, self.code_zip)
            forked = template.fork(new_uuid())
            if forked is not None:
                break
        else:
            raise RuntimeError("Worker process exited immediately: its template has ended")
        self._proc = self._forked = forked
        # What was said while importing belongs to the first invocation's log.
        said = template.worker._drain_stderr()
        self._stderr_queue = lambda_runtime.queue.Queue()
        for line in said.splitlines():
            self._stderr_queue.put(line)
        self._stderr_thread = threading.Thread(
            target=self._read_stderr, daemon=True, name=f"stderr-{self.func_name}"
        )
        self._stderr_thread.start()
        if not forked.stdout.readline():
            raise RuntimeError("Worker process exited immediately")
        self._start_time = time.time()


def _template(name: str, config: dict[str, Any], code: bytes) -> Template:
    """The template of a function as it is configured now, started if there is none."""
    account, region = lambda_runtime._account_region_from_function_config(config)
    function = f"{account}:{region}:{name}:"
    key = function + ":".join(
        str(config.get(member)) for member in ("Version", "CodeSha256", "RevisionId")
    )
    with _templates_lock:
        starting = _starting.setdefault(key, threading.Lock())
    with starting:
        with _templates_lock:
            found = _templates.get(key)
            if found is not None and not found.spent:
                return found
        made = Template(lambda_runtime.Worker(name, config, code))
        with _templates_lock:
            _templates[key] = made
            old = sorted(_templates, key=lambda each: _templates[each].used)
            surplus = [_templates.pop(each) for each in old[:-_MOST_TEMPLATES] if each != key]
            _starting.pop(key, None)
    for template in surplus:
        template.retire()
    return made


@hooks.around(
    "ministack.core.lambda_runtime:_worker_class_for",
    reason="knows no worker that forks",
    platform="linux",
)
def _worker_class(choose: Callable[..., Any], config: dict[str, Any]) -> Any:
    """Choose forked processes for functions in Python."""
    if str(config.get("Runtime", "")).startswith("python"):
        return ForkingWorker
    return choose(config)


@hooks.around(
    "ministack.services.lambda_svc:_probe_peak_memory_mb",
    reason="the log gives every call the memory of the largest child there ever was",
    platform="linux",
)
def _memory_used(probe: Callable[..., int], func: dict[str, Any]) -> int:
    """Megabytes, as Lambda counts them, of the process that has answered this thread's call."""
    peak: int = vars(_called).pop("peak", 0)
    return -(-peak >> 20) if peak else probe(func)


@hooks.around(
    "ministack.core.lambda_runtime:invalidate_worker",
    reason="tells no template of a function that was changed or deleted",
    imported_by="ministack.services.lambda_svc",
    platform="linux",
)
def _retire_templates(
    invalidate: Callable[..., None],
    func_name: str,
    qualifier: Any = None,
    account: Any = None,
    region: Any = None,
) -> None:
    """End a function's templates with its processes."""
    invalidate(func_name, qualifier, account=account, region=region)
    with _templates_lock:
        doomed = [key for key in _templates if key.split(":")[2] == func_name]
        retired = [_templates.pop(key) for key in doomed]
    for template in retired:
        template.retire()
