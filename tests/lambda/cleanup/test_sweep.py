"""What ended executions left goes, and what anybody still wants stays."""

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spine.shipped import load
from tests.fake_sagemaker import FakeSageMaker, FakeStepFunctions
from tests.leftovers import (
    ENDED,
    LIVE,
    LONGEST_RUN,
    PREFIX,
    START,
    Remaining,
    arn,
    backoff,
    base,
    leave,
)
from tests.support import client_error

names = load("common.names")
removal = load("cleanup.removal")
sweep = load("cleanup.sweep")


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
        longest_run=LONGEST_RUN,
        now=lambda: START + timedelta(seconds=sagemaker.now),
        backoff=backoff(sagemaker, seconds),
    )
    return result


@pytest.mark.parametrize("status", [*ENDED, "GONE"])
def test_what_an_ended_execution_left_is_removed(sagemaker: FakeSageMaker, status: str) -> None:
    """Whatever way it ended; its model goes too unless it is, or may be, a good run's result."""
    run = leave(sagemaker, "one")
    done = run_sweep(sagemaker, {} if status == "GONE" else {"one": status})
    assert [item["run"] for item in done["removed"]] == [run]
    assert sagemaker.left() == ({run} if status in ("SUCCEEDED", "GONE") else set())


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
    assert sagemaker.calls == [("StopTransformJob", f"{run}-0-1")]
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
    sagemaker: FakeSageMaker, clients: FakeStepFunctions
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
    with pytest.raises(sweep.SweepError) as caught:
        sweep.handler({}, Remaining(600))
    for run in (denied, unreadable, mistyped):
        assert run in str(caught.value)
    # What was mistyped is months old here, and named before it goes.
    assert sagemaker.names("endpoint") == {denied, unreadable}


def test_a_time_that_nobody_can_read_keeps_no_longer_than_a_run_can_ask_for(
    sagemaker: FakeSageMaker,
) -> None:
    """Nothing that bills depends on a tag that was mistyped; until then every sweep says so."""
    field = load("plan.sections").Endpoint.model_fields["ttl_minutes"]
    (longest,) = (each.le for each in field.metadata if hasattr(each, "le"))
    run = leave(sagemaker, "one", keep_until="tomorrow")
    sagemaker.now = 60.0 * (longest - 1)
    done = run_sweep(sagemaker, {"one": "SUCCEEDED"})
    assert "tomorrow" in done["failures"][0]
    assert run in sagemaker.names("endpoint")
    sagemaker.now += 120
    run_sweep(sagemaker, {"one": "SUCCEEDED"})
    assert sagemaker.names("endpoint") == set()


def test_a_busy_endpoint_is_left_for_the_next_sweep(sagemaker: FakeSageMaker) -> None:
    """The schedule comes back; meanwhile the other runs are not held up."""
    stuck = leave(sagemaker, "stuck", endpoint="Creating", until=3600)
    leave(sagemaker, "done")
    failed = {"stuck": "FAILED", "done": "FAILED"}
    done = run_sweep(sagemaker, failed, seconds=60)
    assert done["pending"] == [f"{stuck} is Creating"]
    assert sagemaker.names("endpoint") == {stuck}
    sagemaker.sleep(3600)
    run_sweep(sagemaker, failed)
    assert sagemaker.left() == set()


def ended(name: str) -> dict[str, Any]:
    """Build the event Step Functions sends when an execution ends."""
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {"executionArn": arn(name), "name": name, "status": "ABORTED"},
    }


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


@pytest.mark.slow
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


# What cannot be looked up

REFUSALS = ["AccessDeniedException", "InvalidArn", "ThrottlingException"]


def refused_sweep(
    sagemaker: FakeSageMaker, refused: dict[str, str], statuses: dict[str, str]
) -> dict[str, Any]:
    """Sweep while some executions, by name, cannot be looked up."""
    result: dict[str, Any] = sweep.sweep(
        sagemaker,
        FakeStepFunctions(
            {arn(name): status for name, status in statuses.items()},
            {arn(name): code for name, code in refused.items()},
        ),
        PREFIX,
        scope=None,
        longest_run=LONGEST_RUN,
        now=lambda: START + timedelta(seconds=sagemaker.now),
        backoff=backoff(sagemaker, 120),
    )
    return result


@pytest.mark.parametrize("code", REFUSALS)
def test_a_kept_endpoint_goes_at_its_time_though_its_execution_cannot_be_looked_up(
    sagemaker: FakeSageMaker, code: str
) -> None:
    """Of a machine that was replaced, say; its model may be a result. The refusal is told."""
    run = leave(sagemaker, "one", keep_until="2026-01-01T01:00:00Z", job="Completed")
    sagemaker.now = 3599
    done = refused_sweep(sagemaker, {"one": code}, {})
    assert done["left"] == [{"run": run, "reason": "kept until 2026-01-01T01:00:00Z"}]
    assert code in done["failures"][0]
    assert sagemaker.calls == []
    sagemaker.now = 3600
    done = refused_sweep(sagemaker, {"one": code}, {})
    assert [each["run"] for each in done["removed"]] == [run]
    assert sagemaker.left() == sagemaker.names("model") == {run}


@pytest.mark.parametrize("code", REFUSALS)
def test_what_cannot_be_looked_up_goes_when_no_run_can_be_at_work_for_so_long(
    sagemaker: FakeSageMaker, code: str
) -> None:
    """An hour after the machine's time-out, counted from the last thing made; jobs too."""
    sagemaker.now = 1000
    run = leave(sagemaker, "one")
    end = 1000 + (LONGEST_RUN + timedelta(hours=1)).total_seconds()
    sagemaker.now = end - 1
    done = refused_sweep(sagemaker, {"one": code}, {})
    assert done["left"] == [{"run": run, "reason": "nothing says that its execution is over"}]
    assert sagemaker.calls == []
    sagemaker.now = end
    refused_sweep(sagemaker, {"one": code}, {})
    assert sagemaker.left() == sagemaker.names("model") == {run}


def test_a_job_beside_a_kept_endpoint_runs_as_long_as_nothing_says_it_is_over(
    sagemaker: FakeSageMaker,
) -> None:
    """Then it is stopped, and the endpoint still kept."""
    run = leave(sagemaker, "one", keep_until="2026-01-03T00:00:00Z")
    refused_sweep(sagemaker, {"one": "AccessDeniedException"}, {})
    assert sagemaker.calls == []
    sagemaker.now = (LONGEST_RUN + timedelta(hours=1)).total_seconds()
    refused_sweep(sagemaker, {"one": "AccessDeniedException"}, {})
    assert sagemaker.calls == [("StopTransformJob", f"{run}-0-1")]


def test_one_lookup_that_is_refused_does_not_keep_the_rest_from_being_swept(
    sagemaker: FakeSageMaker,
) -> None:
    """Nor is what the others have judged by age."""
    leave(sagemaker, "denied")
    leave(sagemaker, "failed")
    running = leave(sagemaker, "running")
    done = refused_sweep(
        sagemaker, {"denied": "AccessDeniedException"}, {"failed": "FAILED", "running": LIVE}
    )
    assert sagemaker.names("endpoint") == {base("denied"), running}
    assert len(done["failures"]) == 1


def test_a_refused_lookup_fails_the_function(
    sagemaker: FakeSageMaker, clients: FakeStepFunctions, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that its alarm tells; the log says which."""
    run = leave(sagemaker, "one")
    clients.refused = {arn("one"): "AccessDeniedException"}
    with pytest.raises(sweep.SweepError, match=f"{run}: its execution cannot be looked up"):
        sweep.handler({}, Remaining(600))
    assert "AccessDeniedException" in json.loads(capsys.readouterr().out)["failures"][0]


# Models

SEEN = (LONGEST_RUN + timedelta(hours=2)).total_seconds()


def model(sagemaker: FakeSageMaker, name: str) -> str:
    """A run's model alone."""
    run = base(name)
    sagemaker.add("model", run, run=names.run_id_of(arn(name)), execution=arn(name))
    return run


@pytest.mark.parametrize("status", ["ABORTED", "FAILED", "TIMED_OUT"])
def test_a_model_whose_event_was_lost_goes_when_its_run_cannot_run_any_more(
    sagemaker: FakeSageMaker, status: str
) -> None:
    """The sweep by the clock finds it; a good run's stays, and one of which nothing is known."""
    model(sagemaker, "bad")
    kept = {model(sagemaker, name) for name in ("good", "running", "forgotten", "denied")}
    sagemaker.now = SEEN
    statuses = {"bad": status, "good": "SUCCEEDED", "running": LIVE}
    done = refused_sweep(sagemaker, {"denied": "AccessDeniedException"}, statuses)
    assert sagemaker.names("model") == kept
    assert done["failures"] == [], "a model costs nothing"
    assert {each["run"] for each in done["left"]} == kept - {base("good")}


@pytest.mark.parametrize("now", [0.0, SEEN + 6 * 3600])
def test_models_are_looked_at_for_some_hours_only(sagemaker: FakeSageMaker, now: float) -> None:
    """There may be any number of them: one that is young or old costs no call."""
    for number in range(30):
        model(sagemaker, f"run-{number}")
    sagemaker.now = now
    run_sweep(sagemaker, {})
    assert sagemaker.counts.get("ListTags", 0) == 0


# What is in the way


def test_a_refused_deletion_is_told_by_every_sweep_in_sagemakers_words(
    sagemaker: FakeSageMaker, clients: FakeStepFunctions, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pending, which the alarm Overdue counts; other runs are not held up."""
    run = leave(sagemaker, "one")
    other = leave(sagemaker, "two")

    def refuse(operation: str, name: str) -> None:
        if (operation, name) == ("DeleteEndpoint", run):
            raise client_error("ValidationException", "It is under a spell.", operation)

    sagemaker.fault = refuse
    clients.statuses = dict.fromkeys([arn("one"), arn("two")], "FAILED")
    for _ in range(2):
        sweep.handler({}, Remaining(600))
        logged = json.loads(capsys.readouterr().out)
        assert logged["pending"] == [f"{run} cannot be deleted: It is under a spell."]
    assert other not in sagemaker.left()
    assert sagemaker.names("endpoint-config") == {run}


def test_an_endpoint_that_was_taken_over_keeps_its_configuration_and_model(
    sagemaker: FakeSageMaker,
) -> None:
    """Its tags were taken away: it is a person's, and goes on serving; the sweep says so."""
    run = leave(sagemaker, "one", job="Completed")
    sagemaker.things["endpoint"][run].tags = {"owner": "me"}
    done = run_sweep(sagemaker, {"one": "FAILED"})
    assert sagemaker.calls == []
    assert done["foreign"] == [run]
    assert done["left"] == [
        {"run": run, "reason": f"endpoint-config {run}: it is used by the endpoint {run}"},
        {"run": run, "reason": f"model {run}: it is used by the endpoint-config {run}"},
    ]


# Time


def test_a_sweep_by_the_clock_waits_a_minute_at_most(
    sagemaker: FakeSageMaker, clients: FakeStepFunctions
) -> None:
    """The next one comes soon enough."""
    leave(sagemaker, "one", endpoint="Creating", until=3600)
    clients.statuses = {arn("one"): "FAILED"}
    sweep.handler({}, Remaining(600))
    assert sagemaker.now == 60


def test_a_sweep_ends_before_its_function_does(
    sagemaker: FakeSageMaker, clients: FakeStepFunctions
) -> None:
    """What was not reached is pending; nothing is lost."""
    runs = {leave(sagemaker, f"run-{number}") for number in range(20)}
    clients.statuses = {arn(f"run-{number}"): "FAILED" for number in range(20)}

    def slow(_operation: str, _name: str) -> None:
        sagemaker.now += 2

    sagemaker.fault = slow
    done = sweep.handler({}, Remaining(600, lambda: sagemaker.now))
    assert sagemaker.now < 600 - 60
    assert {run for run in runs if any(each.startswith(run) for each in done["pending"])} == (
        sagemaker.names("endpoint") | sagemaker.names("endpoint-config")
    )
    assert done["pending"]
