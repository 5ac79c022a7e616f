"""What a function's template process does: it forks a process for each that is asked for."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from localcloud.emulator import forking

pytestmark = pytest.mark.process

# A worker after the template's text: it says who it is, answers one line, and ends as told.
WORKER = """
import json, os, sys
imported = os.getpid()
{before}
_spine_ready(sys.stdout{failed})
print(json.dumps({{"pid": os.getpid(), "imported": imported,
                  "stream": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]}}), flush=True)
sys.stderr.write("said\\n")
sys.stderr.flush()
os._exit(int(sys.stdin.readline()))
"""


@dataclass
class Worker:
    """A process that a template has made, by the gateway's ends of its streams."""

    given: IO[bytes]
    out: IO[bytes]
    errors: IO[bytes]

    def told(self) -> Any:
        """What it says of itself."""
        return json.loads(self.out.readline())


@dataclass
class Template:
    """A template process, and the gateway's end of its socket."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    opened: list[IO[bytes]] = field(default_factory=list)

    def ask(self, stream: str) -> Worker:
        """Ask for a process."""
        (read_in, given), (out, write_out), (errors, write_errors) = os.pipe(), os.pipe(), os.pipe()
        theirs = [read_in, write_out, write_errors]
        socket.send_fds(self.control, [stream.encode()], theirs)
        for each in theirs:
            os.close(each)
        worker = Worker(os.fdopen(given, "wb", 0), os.fdopen(out, "rb"), os.fdopen(errors, "rb"))
        self.opened += [worker.given, worker.out, worker.errors]
        return worker

    def said(self) -> Any:
        """The next line that it tells the gateway."""
        line = b""
        while not line.endswith(b"\n"):
            line += self.control.recv(1)
        return json.loads(line)


@pytest.fixture
def templates() -> Iterator[Any]:
    """Start a template, once its function is imported."""
    made: list[Template] = []

    def start(before: str = "", failed: str = "") -> Template:
        ours, theirs = socket.socketpair()
        ours.settimeout(20)
        source = Path(forking.__file__).read_text() + WORKER.format(before=before, failed=failed)
        process = subprocess.Popen(
            [sys.executable, "-c", source],
            env={**os.environ, "_SPINE_TEMPLATE": str(theirs.fileno())},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        theirs.close()
        made.append(Template(process, ours))
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"status": "ready", "cold": True}
        return made[-1]

    yield start
    for template in made:
        for file in (*template.opened, template.process.stdin, template.process.stdout):
            if file is not None:
                file.close()
        template.control.close()
        template.process.kill()
        template.process.wait(20)


def test_processes_share_what_was_imported_and_have_streams_of_their_own(templates: Any) -> None:
    """Each is a child of the template, with the name of its own log."""
    template = templates()
    first, second = template.ask("log-1"), template.ask("log-2")
    forked = {template.said()["forked"], template.said()["forked"]}
    told = [first.told(), second.told()]
    assert {each["pid"] for each in told} == forked
    assert {each["imported"] for each in told} == {template.process.pid}
    assert [each["stream"] for each in told] == ["log-1", "log-2"]
    assert first.errors.readline() == b"said\n"


@pytest.mark.parametrize("code", [0, 7])
def test_the_gateway_is_told_how_a_process_ended(templates: Any, code: int) -> None:
    """With its exit code and the most memory that it had."""
    template = templates()
    worker = template.ask("log")
    pid = template.said()["forked"]
    worker.given.write(b"%d\n" % code)
    ended = template.said()
    assert (ended["ended"], ended["code"]) == (pid, code)
    assert ended["peak"] > 1024


def test_a_process_that_is_killed_is_told_by_its_signal(templates: Any) -> None:
    """And the template goes on."""
    template = templates()
    template.ask("log")
    pid = template.said()["forked"]
    os.kill(pid, signal.SIGKILL)
    assert template.said() | {"peak": 0} == {"ended": pid, "code": -9, "peak": 0}
    template.ask("log")
    assert "forked" in template.said()


def test_a_process_ends_when_the_gateway_leaves_its_input(templates: Any) -> None:
    """In the middle of an invocation, too: it is killed rather than asked."""
    template = templates()
    worker = template.ask("log")
    pid = template.said()["forked"]
    assert worker.told()["pid"] == pid
    worker.given.close()
    assert template.said()["ended"] == pid


def test_a_template_ends_with_the_gateway(templates: Any) -> None:
    """It has nobody to fork for any more."""
    template = templates()
    template.control.close()
    assert template.process.wait(20) == 0


@pytest.mark.parametrize(
    ("before", "failed"),
    [
        ("import threading; threading.Thread(target=sys.stdin.read, daemon=True).start()", ""),
        ("", ", failed=True"),
    ],
)
def test_what_cannot_be_forked_answers_itself(templates: Any, before: str, failed: str) -> None:
    """A thread does not survive a fork, and a failed import is to be tried again."""
    template = templates(before, failed)
    worker = template.ask("log")
    assert template.said() == {"alone": template.process.pid}
    assert worker.told()["pid"] == template.process.pid


def test_a_process_that_is_no_template_answers_at_once() -> None:
    """As the emulator's own workers do; it ends with its input."""
    source = Path(forking.__file__).read_text() + (
        "import sys, time\n_spine_ready(sys.stdout)\nprint('going', flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"going\n"
        process.stdin.close()
        assert process.wait(20) == -signal.SIGKILL
