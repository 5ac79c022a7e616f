"""What every test run has: tiers, order, one synthesis of each variant, and nothing left behind.

There are four tiers. Write a test in the first one that can show the behaviour.

- `unit`: memory and files only, with fakes for what is beyond (`tests/support.py`). A fraction of a
  second. For every rule, refusal, format, figure and decision: most tests are here. A test that
  starts a process fails here (see `_refuse_processes`).
- `process`: starts processes, synthesizes the app, or runs against a local cloud that has a
  stand-in for SageMaker. For what only the real program shows: the wire protocol, life cycles,
  templates, what a bundle imports. Share a fixture: a cloud takes seconds to start, and a variant
  of the app takes seconds to synthesize (`synth`).
- `e2e`: deploys the app with the real CDK command line and runs it. For what arises between the
  parts: permissions, names, the order of things, clients that others wrote. One run takes seconds:
  look at several things in it.
- Exhaustive, by hand: `exhaustive_*.py` walk every fault, kill, abort or redrive there is, for
  minutes to hours, and `make fuzz` goes on as long as it is let. For a claim about all cases. What
  a test run has of each is a sample.

`make quick` runs the unit tests, but for those marked `slow`, with lint and types; `make test` runs
the first three tiers. Tests that ask for a fixture of `_PROCESS_FIXTURES` are marked `process` by
this file; others mark themselves.
"""

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from gates.assembly import ROOT, Assembly, synthesize
from tests import process_leftovers

# The folders whose tests wait for processes of their own, those that take longest first: what is
# left for the end should be short. Session fixtures (a deployed cloud, a synthesized app) are made
# once in each process, so a folder stays in one; the clients are half of all that is end to end.
_LONGEST_FIRST = (
    "tests/e2e/test_clients.py",
    "tests/e2e/",
    "tests/reliability/",
    "tests/localcloud/sagemaker/",
    "tests/stacks/",
    "tests/localcloud/stepfunctions/",
    "tests/localcloud/",
    "tests/gates/",
    "tests/spine/",
    "tests/test_app.py",
    "tests/test_process_leftovers.py",
    "tests/security/",
    "tests/fuzz/",
)


def _group(nodeid: str) -> tuple[int, str]:
    """What stays together, with its place in the order: a folder of the list, or a file."""
    path = nodeid.split("::")[0]
    for rank, start in enumerate(_LONGEST_FIRST):
        if path.startswith(start):
            return rank, start
    return len(_LONGEST_FIRST), path


class _FolderScheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist is untyped
    # pytest-xdist's own groups (`--dist loadgroup`) have no effect with pytest 9.2: it names
    # tests anew, and pytest no longer reads the attribute that it sets.
    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)[1]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Hand whole groups to processes, in the order of collection."""
    config.option.loadscopereorder = False
    return _FolderScheduling(config, log)


# Fixtures that start processes, and all that ask for them.
_PROCESS_FIXTURES = {"app", "bench", "cloud_app", "running_cloud", "s3_url", "synth"}


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first, and mark every test with its tier."""
    items.sort(key=lambda item: _group(item.nodeid)[0])
    for item in items:
        if _PROCESS_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.process)
        if not any(item.get_closest_marker(tier) for tier in ("process", "e2e")):
            item.add_marker(pytest.mark.unit)


# What Python tells an audit hook before it starts a process.
_STARTS = {"subprocess.Popen", "os.fork", "os.posix_spawn", "os.system"}
_running_unit_test: str | None = None


def _refuse_processes(event: str, _: object) -> None:
    if _running_unit_test and event in _STARTS:
        raise RuntimeError(
            f"{_running_unit_test} is a unit test, and starts a process: mark it "
            "`@pytest.mark.process`, or replace what starts the process by a fake"
        )


def pytest_collection_finish() -> None:
    """Start to watch: the hook is called for each import as well, of which collecting has most."""
    sys.addaudithook(_refuse_processes)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Hold unit tests to memory and files."""
    global _running_unit_test  # noqa: PLW0603 (an audit hook is called with the event only)
    _running_unit_test = item.nodeid if item.get_closest_marker("unit") else None
    try:
        return (yield)
    finally:
        _running_unit_test = None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """Let fixtures end what they started: a session's do so after its last test, of any tier."""
    global _running_unit_test  # noqa: PLW0603 (an audit hook is called with the event only)
    _running_unit_test = None


# The ids of pytest-xdist's processes, known to the one that hands out the tests.
_workers: set[int] = set()


def pytest_configure(config: pytest.Config) -> None:
    """Let nothing outlive this run, and end it on SIGTERM as on Ctrl-C: with its fixtures."""
    signal.signal(signal.SIGTERM, _interrupt)
    if not hasattr(config, "workerinput"):
        process_leftovers.watch()


def pytest_testnodeready(node: WorkerController) -> None:
    """Remember a process that runs tests."""
    # As pytest-xdist itself asks for it; there is no public way.
    _workers.add(node.gateway._rinfo().pid)


def _interrupt(*_: object) -> None:
    # Once: what comes of it, pytest-xdist's own SIGINT to a worker included, must not be disturbed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    for worker in _workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGTERM)
    raise KeyboardInterrupt("SIGTERM")


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Assembly]:
    """Synthesize with overrides of `cdk.json`'s context: each variant once in a run.

    It takes 5 s of a processor and more. So look at several settings in one variant, and share
    it: the processes of pytest-xdist find what another one has synthesized.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "synthesized"
    shared.mkdir(exist_ok=True)

    @functools.cache
    def once(overrides: str) -> Assembly:
        context = json.loads(overrides)
        folder = shared / hashlib.sha256(overrides.encode()).hexdigest()[:16]
        done = folder.with_suffix(".done")
        with folder.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                synthesize(folder, **context)
                done.touch()
        return Assembly(folder, context.get("stage", "dev"))

    given = json.loads((ROOT / "cdk.json").read_text())["context"]

    def of(**overrides: Any) -> Assembly:
        # What says the same as `cdk.json` is no variant.
        different = {key: value for key, value in overrides.items() if given.get(key) != value}
        return once(json.dumps({"functions": "local"} | different, sort_keys=True))

    return of


@pytest.fixture(scope="session")
def dev(synth: Callable[..., Assembly]) -> Assembly:
    """The development stage, as it stands in `cdk.json`."""
    return synth()
