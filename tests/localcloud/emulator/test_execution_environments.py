"""The processes of functions: shared imports, limits, and ends."""

import concurrent.futures
import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from ministack.core import lambda_runtime

import localcloud
from localcloud import Cloud, Conditions, process_identity
from localcloud.emulator import execution_environments
from tests.localcloud.conftest import STUB
from tests.localcloud.sagemaker.cloud import until
from tests.localcloud.stepfunctions.machines import ROLE, bundle

pytestmark = pytest.mark.process

# What an import leaves is the same in all processes forked from it.
TOLD = """
import os, secrets, time
TOKEN = secrets.token_hex(8)
SEEN = []

def handler(event, context):
    SEEN.append(1)
    if "marker" in event:
        open(event["marker"], "w").close()
    time.sleep(event.get("seconds", 0))
    return {"pid": os.getpid(), "parent": os.getppid(), "token": TOKEN, "calls": len(SEEN),
            "stream": context.log_stream_name}
"""


def function(running: Cloud, source: str, *, runtime: str = "python3.13", **settings: Any) -> str:
    """Create a function; returns its name."""
    name = f"f-{uuid.uuid4().hex[:8]}"
    running.client("lambda").create_function(
        FunctionName=name,
        Runtime=runtime,
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": bundle(source)},
        **settings,
    )
    return name


def call(running: Cloud, name: str, **event: Any) -> Any:
    """Invoke a function; returns its payload."""
    answer = running.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return json.load(answer["Payload"])


def at_once(running: Cloud, name: str, count: int, **event: Any) -> list[Any]:
    """Invoke a function several times at the same time."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: call(running, name, **event), range(count)))


def below(pid: int) -> list[int]:
    """The processes below one that are functions'."""
    found = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], stdout=-1, text=True, check=True)
    parents: dict[int, list[int]] = {}
    for line in found.stdout.splitlines():
        child, parent, arguments = line.split(None, 2)
        if "ministack-lambda-" in arguments:
            parents.setdefault(int(parent), []).append(int(child))
    templates = parents.get(pid, [])
    return templates + [child for template in templates for child in parents.get(template, [])]


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud in which one call of a function runs at a time."""
    home = tmp_path_factory.mktemp("narrow")
    yield localcloud.start(home, sagemaker=STUB, conditions=Conditions(concurrent_functions=1))
    localcloud.stop(home)


def test_calls_at_once_have_processes_of_their_own_that_share_what_was_imported(
    running_cloud: Cloud,
) -> None:
    """Each is a fresh environment after the import: own process, module state and log stream."""
    name = function(running_cloud, TOLD)
    found = at_once(running_cloud, name, 3, seconds=0.4)
    assert len({each["pid"] for each in found}) == 3
    assert len({each["stream"] for each in found}) == 3
    assert len({each["token"] for each in found}) == 1
    assert {each["calls"] for each in found} == {1}
    later = call(running_cloud, name)
    assert later["pid"] in {each["pid"] for each in found}
    assert later["calls"] == 2


def test_a_function_with_a_thread_is_imported_for_each_process(running_cloud: Cloud) -> None:
    """A thread would not survive a fork, so nothing is shared then; the thread lives in both."""
    source = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True)"
    counted = TOLD.replace("len(SEEN)", "threading.active_count()")
    name = function(running_cloud, f"{source}.start()\n{counted}")
    found = at_once(running_cloud, name, 2, seconds=1.5)
    assert len({each["pid"] for each in found}) == 2
    assert len({each["token"] for each in found}) == 2
    # The main one, the function's own, and the one that watches the gateway.
    assert {each["calls"] for each in found} == {3}


def test_a_changed_function_forgets_what_was_imported(running_cloud: Cloud) -> None:
    """New code is imported anew, and the old template ends."""
    name = function(running_cloud, TOLD)
    before = call(running_cloud, name)
    running_cloud.client("lambda").update_function_code(FunctionName=name, ZipFile=bundle(TOLD))
    after = call(running_cloud, name)
    assert before["token"] != after["token"]
    until(lambda: process_identity.start_mark(before["parent"]) is None)
    running_cloud.client("lambda").delete_function(FunctionName=name)
    until(lambda: process_identity.start_mark(after["parent"]) is None)


def test_what_is_said_while_importing_is_in_the_first_call_s_log(running_cloud: Cloud) -> None:
    """A cold start's output is in the log of the invocation that caused it."""
    name = function(running_cloud, "print('importing')\ndef handler(event, context):\n    pass\n")
    call(running_cloud, name)
    logs = running_cloud.client("logs")
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert any("importing" in event["message"] for event in events)


TAKING = """
import os

def handler(event, context):
    taken = b"x" * (event["megabytes"] << 20)
    if event.get("exit"):
        os._exit(len(taken) % 2 + 3)
"""


def test_a_call_s_log_tells_the_memory_of_its_own_process(running_cloud: Cloud) -> None:
    """The most it has ever had: not another's, and also that of a process that has ended."""
    large, small, ended = (function(running_cloud, TAKING) for _ in range(3))
    call(running_cloud, large, megabytes=300)
    call(running_cloud, large, megabytes=1)
    call(running_cloud, small, megabytes=1)
    call(running_cloud, ended, megabytes=300, exit=True)
    assert all(300 < used < 400 for used in memory_used(running_cloud, large))
    assert len(memory_used(running_cloud, large)) == 2
    assert [used < 200 for used in memory_used(running_cloud, small)] == [True]
    assert [300 < used < 400 for used in memory_used(running_cloud, ended)] == [True]


def memory_used(running: Cloud, name: str) -> list[int]:
    """What the REPORT lines of a function's calls say, in megabytes."""
    pages = running.client("logs").get_paginator("filter_log_events")
    return [
        int(event["message"].rsplit("Max Memory Used: ", 1)[1].removesuffix(" MB"))
        for page in pages.paginate(logGroupName=f"/aws/lambda/{name}")
        for event in page["events"]
        if event["message"].startswith("REPORT ")
    ]


def test_calls_beyond_the_limit_wait_and_their_timeout_does_not_count_it(narrow: Cloud) -> None:
    """Six calls of 0.4 s one after the other, each with a timeout of 1 s, all answer."""
    name = function(narrow, TOLD, Timeout=1)
    found = at_once(narrow, name, 6, seconds=0.4)
    assert {each["pid"] for each in found} == {found[0]["pid"]}
    assert len(below(narrow.pid)) <= 3


def test_idle_processes_of_any_function_end_when_there_are_too_many(narrow: Cloud) -> None:
    """Of four functions called in turn no more than two idle processes stay."""
    names = [function(narrow, TOLD) for _ in range(4)]
    pids = [call(narrow, name)["pid"] for name in names]
    until(
        lambda: (
            [process_identity.start_mark(pid) is None for pid in pids] == [True, True, False, False]
        )
    )


def test_a_function_that_calls_another_does_not_wait_for_its_own_turn(narrow: Cloud) -> None:
    """With one call at a time, a function that invokes another one is answered at once."""
    inner = function(narrow, TOLD)
    source = (
        "import boto3, json\ndef handler(event, context):\n"
        f"    answer = boto3.client('lambda').invoke(FunctionName='{inner}')\n"
        "    return json.load(answer['Payload'])\n"
    )
    outer = function(narrow, source, Timeout=4)
    assert call(narrow, outer)["calls"] == 1


def test_reserved_concurrency_is_refused_and_not_waited_for(narrow: Cloud) -> None:
    """A function at its reserved concurrency answers TooManyRequestsException, as on AWS."""
    name = function(narrow, TOLD)
    client = narrow.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as error:
        client.invoke(FunctionName=name)
    assert error.value.response["Error"]["Code"] == "TooManyRequestsException"


@pytest.mark.parametrize("killed", ["pid", "parent"])
def test_a_killed_process_or_template_costs_no_more_than_its_call(
    running_cloud: Cloud, tmp_path: Path, killed: str
) -> None:
    """SIGKILL to either fails the call with Runtime.ExitError; the next one has a new process."""
    name, marker = function(running_cloud, TOLD, Timeout=60), tmp_path / "marker"
    first = call(running_cloud, name)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        going = pool.submit(call, running_cloud, name, seconds=60, marker=str(marker))
        until(marker.exists)
        os.kill(first[killed], signal.SIGKILL)
        assert going.result(20)["errorType"] == "Runtime.ExitError"
    second = call(running_cloud, name)
    assert second["pid"] != first["pid"]
    assert (second["parent"] == first["parent"]) == (killed == "pid")


def test_an_import_that_never_ends_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended after Lambda's seconds for the start and then the function's own timeout."""
    monkeypatch.setattr(execution_environments, "_INIT_SECONDS", 0.2)
    arn = "arn:aws:lambda:us-east-1:000000000000:function:slow"
    config = {"FunctionArn": arn, "Handler": "index.handler", "Timeout": 0.3}
    slow = bundle("import time\ntime.sleep(60)\n")
    worker = lambda_runtime.Worker("slow", config, slow)
    with pytest.raises(RuntimeError, match=r"^Task timed out after 0\.50 seconds$"):
        execution_environments.Template(worker)
    assert worker._proc.wait(5) != 0
    assert not Path(worker._tmpdir).exists()


def test_no_process_of_a_function_outlives_the_gateway(tmp_path: Path) -> None:
    """After a kill of the gateway neither template nor process is left, not even a busy one."""
    running = localcloud.start(tmp_path, sagemaker=STUB)
    try:
        name, marker = function(running, TOLD, Timeout=60), tmp_path / "marker"
        found = call(running, name)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            going = pool.submit(call, running, name, seconds=60, marker=str(marker))
            until(marker.exists)
            os.kill(running.pid, signal.SIGKILL)
            os.waitpid(running.pid, 0)
            with pytest.raises(BotoCoreError, match=r"[Cc]onnect"):
                going.result(20)
        until(lambda: process_identity.start_mark(found["pid"]) is None)
        until(lambda: process_identity.start_mark(found["parent"]) is None)
    finally:
        localcloud.stop(tmp_path)
