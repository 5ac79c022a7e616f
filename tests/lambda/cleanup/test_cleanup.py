"""Removing what runs leave, over an in-memory SageMaker with states and a virtual clock."""

import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fake_sagemaker import FakeSageMaker, FakeStepFunctions
from tests.support import client_error, load, use_clients

cleanup = load("cleanup.handler")
names = load("common.names")
removal = load("cleanup.removal")
resources = load("cleanup.resources")
sweep = load("cleanup.sweep")
teardown = load("cleanup.teardown")
stop = load("cleanup.stop")

PREFIX = "spine-dev"
START = datetime(2026, 1, 1, tzinfo=UTC)
LIVE = "RUNNING"
ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


def arn(name: str) -> str:
    """Return the ARN of an execution."""
    return f"arn:aws:states:us-east-1:000000000000:execution:{PREFIX}:{name}"


def base(name: str, prefix: str = PREFIX) -> str:
    """Return what the run of an execution calls its resources."""
    result: str = names.base_name(prefix, names.run_id_of(arn(name)))
    return result


def leave(
    sagemaker: FakeSageMaker,
    name: str,
    *,
    prefix: str = PREFIX,
    endpoint: str = "InService",
    until: float = 0.0,
    job: str = "InProgress",
    keep_until: str | None = None,
) -> str:
    """Put there what a run has at its widest: two jobs, model, configuration and endpoint."""
    made = base(name, prefix)
    tags = {"run": names.run_id_of(arn(name)), "execution": arn(name), "stage": "dev"}
    sagemaker.add("training-job", f"{made}-0-0", status="Completed", **tags)
    sagemaker.add("transform-job", f"{made}-0-1", status=job, **tags)
    sagemaker.add("model", made, **tags)
    sagemaker.add("endpoint-config", made, **tags)
    if keep_until:
        tags["keep_until"] = keep_until
    sagemaker.add("endpoint", made, status=endpoint, until=until, **tags)
    return made


def patience(sagemaker: FakeSageMaker, seconds: float) -> Any:
    """Wait in the fake's virtual time."""
    return removal.Patience(seconds, sagemaker.sleep)


@pytest.fixture
def sagemaker() -> FakeSageMaker:
    """An empty SageMaker."""
    return FakeSageMaker()


def test_a_run_is_removed_in_order(sagemaker: FakeSageMaker) -> None:
    """Jobs stop and the endpoint goes first, and its configuration only when it is gone."""
    run = leave(sagemaker, "one")
    done = removal.remove(sagemaker, run, models=True, patience=patience(sagemaker, 120))
    assert done == {
        "deleted": {"endpoints": [run], "endpoint_configs": [run], "models": [run]},
        "stopped_jobs": [f"{run}-0-1"],
    }
    assert sagemaker.calls == [
        ("stop", f"{run}-0-1"),
        ("delete endpoint", run),
        ("delete config", run),
        ("delete model", run),
    ]
    assert sagemaker.left() == set()


def test_a_removed_run_is_removed_again_without_error(sagemaker: FakeSageMaker) -> None:
    """Already gone is success, and nothing is reported as deleted."""
    run = leave(sagemaker, "one")
    removal.remove(sagemaker, run, models=True, patience=patience(sagemaker, 120))
    done = removal.remove(sagemaker, run, models=True, patience=patience(sagemaker, 0))
    assert done == {
        "deleted": {"endpoints": [], "endpoint_configs": [], "models": []},
        "stopped_jobs": [],
    }


def test_the_model_stays_unless_asked_for(sagemaker: FakeSageMaker) -> None:
    """A model costs nothing and is the run's result."""
    run = leave(sagemaker, "one")
    removal.remove(sagemaker, run, models=False, patience=patience(sagemaker, 120))
    assert sagemaker.left() == {run}
    assert sagemaker.names("model") == {run}


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack"])
def test_an_endpoint_in_progress_is_waited_for_and_then_named(
    sagemaker: FakeSageMaker, status: str
) -> None:
    """It cannot be deleted yet: the error says so, and nothing it needs was touched."""
    run = leave(sagemaker, "one", endpoint=status, until=600)
    with pytest.raises(removal.EndpointBusyError, match=f"{run} is {status}"):
        removal.remove(sagemaker, run, models=True, patience=patience(sagemaker, 10))
    assert sagemaker.now == 10
    assert sagemaker.names("endpoint-config") == {run}
    assert sagemaker.names("model") == {run}
    assert sagemaker.names("transform-job") == set()


@pytest.mark.parametrize("status", ["InService", "Failed", "OutOfService", "UpdateRollbackFailed"])
def test_an_endpoint_at_rest_is_deleted_whatever_its_state(
    sagemaker: FakeSageMaker, status: str
) -> None:
    """A failed endpoint is deleted like one in service."""
    run = leave(sagemaker, "one", endpoint=status)
    removal.remove(sagemaker, run, models=True, patience=patience(sagemaker, 120))
    assert sagemaker.left() == set()


def test_repeated_calls_finish_what_one_began(sagemaker: FakeSageMaker) -> None:
    """The state machine's retries go on where the last call stopped."""
    run = leave(sagemaker, "one", endpoint="Creating", until=40)
    outcomes = []
    for _ in range(10):
        try:
            removal.remove(sagemaker, run, models=True, patience=patience(sagemaker, 10))
        except removal.EndpointBusyError as error:
            outcomes.append(str(error))
        else:
            break
    assert any("Creating" in outcome for outcome in outcomes)
    assert any("Deleting" in outcome for outcome in outcomes)
    assert sagemaker.left() == set()


def test_other_runs_are_not_touched(sagemaker: FakeSageMaker) -> None:
    """SageMaker finds names by any part of them; only the run's own may go."""
    run = leave(sagemaker, "one")
    others = {
        leave(sagemaker, "two"),
        leave(sagemaker, f"x{run}"),
        leave(sagemaker, f"{run.removeprefix(PREFIX + '-')}-again"),
    }
    sagemaker.add("endpoint", f"my-{run}", status="InService")
    sagemaker.add("endpoint", f"{run}-canary", status="InService")
    removal.remove(sagemaker, run, models=True, patience=patience(sagemaker, 120))
    assert sagemaker.names("endpoint") == {*others, f"my-{run}", f"{run}-canary"}
    assert sagemaker.names("transform-job") == {f"{other}-0-1" for other in others}
    assert sagemaker.names("model") == others


def test_what_only_has_the_name_of_the_run_is_not_touched(sagemaker: FakeSageMaker) -> None:
    """Without the tag that says so it is somebody else's, whatever it is called."""
    run = base("one")
    sagemaker.add("endpoint-config", run, run="another-run")
    sagemaker.add("model", run)
    sagemaker.add("endpoint", run, status="InService", owner="me")
    sagemaker.add("training-job", f"{run}-0-0", status="InProgress", run="another-run")
    done = removal.remove(sagemaker, run, models=True, patience=patience(sagemaker, 0))
    assert sagemaker.calls == []
    assert done["deleted"] == {"endpoints": [], "endpoint_configs": [], "models": []}
    assert sagemaker.left() == {run, f"{run}-0-0"}


def test_a_job_that_prepares_is_stopped(sagemaker: FakeSageMaker) -> None:
    """A processing job is found by name and tag like the others."""
    run = leave(sagemaker, "one", job="Completed")
    job = f"{run}-0-1"
    tags = {"run": names.run_id_of(arn("one")), "execution": arn("one")}
    sagemaker.add("processing-job", job, status="InProgress", **tags)
    done = removal.remove(sagemaker, run, models=True, patience=patience(sagemaker, 120))
    assert done["stopped_jobs"] == [job]
    assert sagemaker.things["processing-job"][job].status != "InProgress"


@pytest.mark.parametrize("stopped_meanwhile", ["Completed", "Stopping", None])
def test_a_job_that_ends_by_itself_is_no_failure(
    sagemaker: FakeSageMaker, stopped_meanwhile: str | None
) -> None:
    """Between listing and stopping, a job may end or go."""
    run = leave(sagemaker, "one")

    def end(operation: str, name: str) -> None:
        if operation == "StopJob":
            if stopped_meanwhile:
                sagemaker.things["transform-job"][name].status = stopped_meanwhile
            else:
                del sagemaker.things["transform-job"][name]

    sagemaker.fault = end
    done = removal.remove(sagemaker, run, models=True, patience=patience(sagemaker, 120))
    assert done["stopped_jobs"] == []


def test_an_endpoint_that_begins_to_update_meanwhile_is_waited_for(
    sagemaker: FakeSageMaker,
) -> None:
    """SageMaker refuses the deletion; that is busy, not a failure."""
    run = leave(sagemaker, "one")

    def update(operation: str, name: str) -> None:
        if operation == "DeleteEndpoint" and sagemaker.now == 0:
            sagemaker.things["endpoint"][name].status = "Creating"
            sagemaker.things["endpoint"][name].until = 20

    sagemaker.fault = update
    removal.remove(sagemaker, run, models=True, patience=patience(sagemaker, 120))
    assert sagemaker.left() == set()


def test_a_permission_that_is_missing_is_reported(sagemaker: FakeSageMaker) -> None:
    """Only "not there" and "not now" are expected answers."""
    run = leave(sagemaker, "one")

    def deny(operation: str, _name: str) -> None:
        if operation == "DeleteEndpoint":
            raise client_error("AccessDeniedException", "not authorized", operation)

    sagemaker.fault = deny
    with pytest.raises(Exception, match="not authorized"):
        removal.remove(sagemaker, run, models=True, patience=patience(sagemaker, 0))


def test_the_handler_cleans_up_and_reports(
    sagemaker: FakeSageMaker,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The state machine gets what was deleted, and so does the log."""
    sagemaker.deletion = 0
    run = leave(sagemaker, "one")
    use_clients(monkeypatch, sagemaker=sagemaker)
    done = cleanup.handler({"run_name": run, "delete_model": False}, None)
    assert done["deleted"] == {"endpoints": [run], "endpoint_configs": [run], "models": []}
    assert json.loads(capsys.readouterr().out) == {"event": "run cleaned up", "run": run, **done}


def test_the_pauses_grow_and_stay_within_the_limit() -> None:
    """Few calls for a long wait, and never longer than promised."""
    slept: list[float] = []
    waiting = removal.Patience(60, slept.append)
    while waiting.wait():
        pass
    assert slept == [1, 2, 4, 8, 15, 15, 15]


# --- the sweep


def run_sweep(
    sagemaker: FakeSageMaker,
    executions: dict[str, str],
    *,
    scope: str | None = None,
    seconds: float = 120,
) -> dict[str, Any]:
    """Sweep in virtual time."""
    result: dict[str, Any] = sweep.sweep(
        sagemaker,
        FakeStepFunctions({arn(name): status for name, status in executions.items()}),
        PREFIX,
        scope=scope,
        now=lambda: START + timedelta(seconds=sagemaker.now),
        patience=patience(sagemaker, seconds),
    )
    return result


@pytest.mark.parametrize("status", [*ENDED, "GONE"])
def test_what_an_ended_execution_left_is_removed(sagemaker: FakeSageMaker, status: str) -> None:
    """Whatever way it ended; its model goes too unless it succeeded."""
    run = leave(sagemaker, "one")
    done = run_sweep(sagemaker, {} if status == "GONE" else {"one": status})
    assert [item["run"] for item in done["removed"]] == [run]
    assert sagemaker.left() == ({run} if status == "SUCCEEDED" else set())


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE"])
def test_a_running_execution_keeps_everything(sagemaker: FakeSageMaker, status: str) -> None:
    """The sweep must not pull an endpoint from under a run."""
    run = leave(sagemaker, "one")
    before = sagemaker.left()
    done = run_sweep(sagemaker, {"one": status})
    assert done["left"] == [{"run": run, "reason": "its execution is running"}]
    assert sagemaker.left() == before
    assert sagemaker.calls == []


def test_a_kept_endpoint_stays_until_its_time(sagemaker: FakeSageMaker) -> None:
    """Up to that second it stays with its configuration; from then on both go."""
    run = leave(sagemaker, "one", keep_until="2026-01-01T01:00:00Z", job="Completed")
    sagemaker.now = 3599
    done = run_sweep(sagemaker, {"one": "SUCCEEDED"})
    assert done["left"] == [{"run": run, "reason": "kept until 2026-01-01T01:00:00Z"}]
    assert sagemaker.names("endpoint-config") == {run}
    sagemaker.now = 3600
    run_sweep(sagemaker, {"one": "SUCCEEDED"})
    assert sagemaker.names("endpoint") == sagemaker.names("endpoint-config") == set()


def test_a_job_that_runs_on_beside_a_kept_endpoint_is_stopped(sagemaker: FakeSageMaker) -> None:
    """Its creation lost its answer, another took its place; nothing else would stop it."""
    run = leave(sagemaker, "one", keep_until="2026-01-01T01:00:00Z")
    done = run_sweep(sagemaker, {"one": "SUCCEEDED"})
    assert sagemaker.calls == [("stop", f"{run}-0-1")]
    assert done["left"] == [{"run": run, "reason": "kept until 2026-01-01T01:00:00Z"}]
    again = run_sweep(sagemaker, {"one": "SUCCEEDED"})
    assert (again["removed"], len(sagemaker.calls)) == ([], 1)


def test_an_endpoint_kept_while_the_sweep_looks_stays(sagemaker: FakeSageMaker) -> None:
    """The tag is written just before the execution ends, perhaps after the first look at tags."""
    run = leave(sagemaker, "one", job="Completed")
    looks = itertools.count()

    def keep(operation: str, name: str) -> None:
        if operation == "DescribeEndpoint" and next(looks) == 0:
            tags = sagemaker.things["endpoint"][name].tags
            tags["spine:keep-until"] = "2026-01-01T01:00:00Z"

    sagemaker.fault = keep
    run_sweep(sagemaker, {"one": "SUCCEEDED"})
    assert sagemaker.names("endpoint") == {run}


def test_only_tagged_resources_are_swept(sagemaker: FakeSageMaker) -> None:
    """A name that starts alike may be a person's, or of stage `dev-2`."""
    other_stage = leave(sagemaker, "one", prefix="spine-dev-2")
    sagemaker.add("endpoint", "spine-dev-by-hand", status="InService")
    sagemaker.add("endpoint", "my-spine-dev-x", status="InService")
    sagemaker.add("endpoint", "spine-development-x", status="InService")
    done = run_sweep(sagemaker, {})
    assert done["removed"] == []
    assert set(done["foreign"]) == {other_stage, "spine-dev-by-hand", f"{other_stage}-0-1"}
    assert sagemaker.calls == []


def test_one_bad_item_does_not_stop_the_sweep(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything else is removed first, then the failures are raised by name."""
    sagemaker.deletion = 0
    leave(sagemaker, "good")
    denied = leave(sagemaker, "denied")
    unreadable = leave(sagemaker, "unreadable")
    mistyped = leave(sagemaker, "mistyped", keep_until="tomorrow")

    def fail(operation: str, name: str) -> None:
        if (operation, name) in (("DeleteEndpoint", denied), ("ListTags", unreadable)):
            raise client_error("AccessDeniedException", "not authorized", operation)

    sagemaker.fault = fail
    use_clients(monkeypatch, sagemaker=sagemaker, stepfunctions=FakeStepFunctions())
    monkeypatch.setenv("NAME_PREFIX", PREFIX)
    with pytest.raises(sweep.SweepError) as caught:
        sweep.handler({}, Remaining(60))
    for run in (denied, unreadable, mistyped):
        assert run in str(caught.value)
    assert sagemaker.names("endpoint") == {denied, unreadable, mistyped}


def test_a_busy_endpoint_is_left_for_the_next_sweep(sagemaker: FakeSageMaker) -> None:
    """The schedule comes back; meanwhile the other runs are not held up."""
    stuck = leave(sagemaker, "stuck", endpoint="Creating", until=3600)
    leave(sagemaker, "done")
    done = run_sweep(sagemaker, {}, seconds=60)
    assert done["pending"] == [f"{stuck} is Creating"]
    assert sagemaker.names("endpoint") == {stuck}
    sagemaker.sleep(3600)
    run_sweep(sagemaker, {})
    assert sagemaker.left() == set()


@dataclass
class Remaining:
    """What is left of a function's time."""

    seconds: float

    def get_remaining_time_in_millis(self) -> int:
        """Return it as Lambda does."""
        return int(self.seconds * 1000)


def ended(name: str) -> dict[str, Any]:
    """Build the event Step Functions sends when an execution ends."""
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {"executionArn": arn(name), "name": name, "status": "ABORTED"},
    }


@pytest.fixture
def clients(sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch) -> FakeStepFunctions:
    """Give the handlers the fakes, and let them sleep in virtual time."""
    step_functions = FakeStepFunctions()
    use_clients(monkeypatch, sagemaker=sagemaker, stepfunctions=step_functions)
    monkeypatch.setenv("NAME_PREFIX", PREFIX)
    monkeypatch.setattr(removal.time, "sleep", sagemaker.sleep)
    return step_functions


def test_the_end_of_an_execution_cleans_up_that_run(
    sagemaker: FakeSageMaker, clients: FakeStepFunctions
) -> None:
    """It waits for a new endpoint until it can go, and leaves other runs to their own events."""
    run = leave(sagemaker, "one", endpoint="Creating", until=300)
    other = leave(sagemaker, "two")
    clients.statuses = {arn("one"): "ABORTED", arn("two"): "ABORTED"}
    done = sweep.handler(ended("one"), Remaining(900))
    assert [item["run"] for item in done["removed"]] == [run]
    assert sagemaker.names("endpoint") == {other}
    assert run not in sagemaker.left()


def test_a_model_alone_is_removed_when_its_execution_ends(
    sagemaker: FakeSageMaker, clients: FakeStepFunctions
) -> None:
    """An abort right after the model was created leaves only the model."""
    run = base("one")
    sagemaker.add("model", run, run=names.run_id_of(arn("one")), execution=arn("one"))
    clients.statuses = {arn("one"): "ABORTED"}
    sweep.handler(ended("one"), Remaining(900))
    assert sagemaker.left() == set()


def test_an_endpoint_stuck_beyond_the_functions_time_makes_lambda_repeat_the_event(
    sagemaker: FakeSageMaker, clients: FakeStepFunctions
) -> None:
    """The error leaves Lambda time to report it."""
    run = leave(sagemaker, "one", endpoint="Creating", until=3600)
    clients.statuses = {arn("one"): "TIMED_OUT"}
    with pytest.raises(removal.EndpointBusyError, match=f"{run} is Creating"):
        sweep.handler(ended("one"), Remaining(300))
    assert sagemaker.now < 300


def test_a_late_event_of_a_redriven_execution_changes_nothing(
    sagemaker: FakeSageMaker, clients: FakeStepFunctions
) -> None:
    """The event says ABORTED; what counts is what the execution does now."""
    run = leave(sagemaker, "one")
    clients.statuses = {arn("one"): LIVE}
    done = sweep.handler(ended("one"), Remaining(900))
    assert done["left"] == [{"run": run, "reason": "its execution is running"}]
    assert sagemaker.calls == []


@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_a_run_redriven_during_the_sweep_keeps_what_is_still_there(
    sagemaker: FakeSageMaker, clients: FakeStepFunctions, before: int
) -> None:
    """Asked before each step: what was deleted until then is made again, the rest is not lost."""
    leave(sagemaker, "one")
    clients.statuses = {arn("one"): "ABORTED"}
    looks = itertools.count()
    ask = clients.describe_execution

    def describe_execution(**request: Any) -> Any:
        # The first look is the sweep's own; then once for each stop and deletion.
        if next(looks) > before:
            clients.statuses = {arn("one"): LIVE}
        return ask(**request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "describe_execution", describe_execution)
        sweep.handler(ended("one"), Remaining(900))
    assert len(sagemaker.calls) == before


RUN = st.fixed_dictionaries(
    {
        "status": st.sampled_from([LIVE, *ENDED, "GONE"]),
        "endpoint": st.sampled_from(["Creating", "InService", "Failed", "Deleting"]),
        "until": st.integers(0, 3000),
        "keep": st.one_of(st.none(), st.integers(0, 7200)),
    }
)


@given(runs=st.lists(RUN, max_size=6), lost=st.integers(0, 40))
@settings(deadline=None, max_examples=60)
def test_after_sweeps_nothing_is_left_that_nobody_wants(
    runs: list[dict[str, Any]], lost: int
) -> None:
    """Whatever was left in whatever state, and though calls fail, only wanted things remain."""
    sagemaker = FakeSageMaker()
    executions = {}
    for number, run in enumerate(runs):
        name = f"run{number}"
        keep = run["keep"]
        leave(
            sagemaker,
            name,
            endpoint=run["endpoint"],
            until=run["until"],
            keep_until=keep and (START + timedelta(seconds=keep)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        if run["status"] != "GONE":
            executions[name] = run["status"]
    calls = itertools.count()

    def throttle(operation: str, _name: str) -> None:
        if next(calls) < lost:
            raise client_error("ThrottlingException", "Rate exceeded", operation)

    sagemaker.fault = throttle
    for _ in range(16):
        run_sweep(sagemaker, executions, seconds=60)
        sagemaker.sleep(900)
    wanted = {f"run{n}" for n, run in enumerate(runs) if run["status"] == LIVE}
    running = {base(name) for name in wanted}
    assert sagemaker.names("endpoint") <= running
    assert sagemaker.names("endpoint-config") == running
    assert sagemaker.names("transform-job") == {f"{name}-0-1" for name in running}
    assert not {name for _, name in sagemaker.calls} & running


# --- teardown


@pytest.fixture
def answers() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server in CloudFormation's place: its address, and what was put there."""
    received: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append({"type": self.headers["Content-Type"], **json.loads(body)})
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/answer?signature=s3cret", received
    server.shutdown()
    thread.join()
    server.server_close()


def request(kind: str, url: str, **fields: str) -> dict[str, Any]:
    """Build a CloudFormation custom resource request."""
    return {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Teardown",
        **fields,
    }


def test_deleting_the_stack_removes_every_run_first(
    sagemaker: FakeSageMaker,
    clients: FakeStepFunctions,
    answers: tuple[str, list[dict[str, Any]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Running, kept and half-made ones alike, not another stage's; the signed URL is not logged."""
    url, received = answers
    leave(sagemaker, "running")
    leave(sagemaker, "kept", keep_until="2099-01-01T00:00:00Z")
    leave(sagemaker, "new", endpoint="Creating", until=400)
    other = leave(sagemaker, "one", prefix="spine-dev-2")
    clients.statuses = {arn("running"): LIVE}
    teardown.handler(request("Delete", url, PhysicalResourceId="p"), Remaining(900))
    assert received == [
        {
            "type": "",
            "Status": "SUCCESS",
            "Reason": "",
            "PhysicalResourceId": "p",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Teardown",
        }
    ]
    assert sagemaker.left() == {other, f"{other}-0-1"}
    assert "s3cret" not in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_making_or_changing_the_stack_removes_nothing(
    sagemaker: FakeSageMaker,
    clients: FakeStepFunctions,
    answers: tuple[str, list[dict[str, Any]]],
    kind: str,
) -> None:
    """The same identity each time, so an update never looks like a replacement."""
    url, received = answers
    run = leave(sagemaker, "one")
    teardown.handler(request(kind, url), Remaining(900))
    assert received[0]["Status"] == "SUCCESS"
    assert received[0]["PhysicalResourceId"] == "spine-dev-teardown"
    assert run in sagemaker.left()


def test_what_cannot_be_removed_in_time_is_listed(
    sagemaker: FakeSageMaker,
    clients: FakeStepFunctions,
    answers: tuple[str, list[dict[str, Any]]],
) -> None:
    """The stack's deletion fails with the names, instead of leaving them to the bill."""
    url, received = answers
    stuck = leave(sagemaker, "stuck", endpoint="Creating", until=5000)
    teardown.handler(request("Delete", url), Remaining(900))
    assert sagemaker.now < 900
    assert received[0]["Status"] == "FAILED"
    assert "LeftoverError: Not everything is gone yet" in received[0]["Reason"]
    assert stuck in received[0]["Reason"]


def test_any_failure_is_answered(
    sagemaker: FakeSageMaker,
    clients: FakeStepFunctions,
    answers: tuple[str, list[dict[str, Any]]],
) -> None:
    """Without an answer CloudFormation would wait for an hour."""
    url, received = answers

    def crash(_operation: str, _name: str) -> None:
        raise RuntimeError("boom " * 1000)

    sagemaker.fault = crash
    teardown.handler(request("Delete", url), Remaining(900))
    assert received[0]["Status"] == "FAILED"
    assert received[0]["Reason"].startswith("RuntimeError: boom")
    assert len(json.dumps(received[0])) < 4096


def test_an_answer_goes_nowhere_but_to_https(clients: FakeStepFunctions) -> None:
    """Plain http is for a local cloud only."""
    with pytest.raises(Exception, match="not an https address"):
        teardown.handler(request("Create", "http://example.org/x"), Remaining(900))
    with pytest.raises(Exception, match="not an https address"):
        teardown.handler(request("Create", "file:///etc/passwd"), Remaining(900))


# --- stop


class Machine:
    """A state machine whose executions take `needed` stops to end."""

    def __init__(self, *names: str, needed: int = 1, gone: bool = False) -> None:
        self.left = dict.fromkeys(map(arn, names), needed)
        self.gone = gone
        self.stops: list[str] = []

    def list_executions(self, **request: Any) -> Any:
        """Two a page."""
        if self.gone:
            raise client_error("StateMachineDoesNotExist", "Gone.", "ListExecutions")
        assert (request["stateMachineArn"], request["statusFilter"]) == ("machine", "RUNNING")
        running = [name for name, left in self.left.items() if left > 0]
        at = int(request.get("nextToken", 0))
        more = {"nextToken": str(at + 2)} if at + 2 < len(running) else {}
        return {"executions": [{"executionArn": each} for each in running[at : at + 2]], **more}

    def stop_execution(self, **request: Any) -> Any:
        """One that ended by itself is refused."""
        name = request["executionArn"]
        self.stops.append(name)
        self.left[name] -= 1
        if name.endswith("ended"):
            raise client_error("ValidationException", "Execution is not running", "StopExecution")
        return {}


@pytest.mark.parametrize("needed", [1, 3])
def test_deleting_the_stack_stops_what_runs(
    clients: FakeStepFunctions,
    monkeypatch: pytest.MonkeyPatch,
    answers: tuple[str, list[dict[str, Any]]],
    needed: int,
) -> None:
    """All pages, those that ended meanwhile too, until none is running."""
    url, received = answers
    machine = Machine("one", "two", "three", "ended", needed=needed)
    monkeypatch.setattr(stop.aws, "client", lambda _: machine)
    properties: Any = {"StateMachineArn": "machine"}
    for kind in ("Create", "Update"):
        stop.handler(request(kind, url, ResourceProperties=properties), Remaining(300))
        assert machine.stops == []
    stop.handler(request("Delete", url, ResourceProperties=properties), Remaining(300))
    assert [each["Status"] for each in received] == ["SUCCESS"] * 3
    assert len(machine.stops) == 4 * needed


def test_executions_that_do_not_stop_fail_the_deletion(clients: FakeStepFunctions) -> None:
    """By name; a machine that is gone has none."""
    patience = removal.Patience(10, lambda _: None)
    with pytest.raises(stop.StillRunningError, match=arn("one")):
        stop.stop_all(Machine("one", needed=99), "machine", patience=patience)
    stop.stop_all(Machine("one", gone=True), "machine", patience=patience)
