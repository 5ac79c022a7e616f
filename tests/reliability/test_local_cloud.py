"""The whole pipeline on the local cloud: calls go wrong, runs are stopped, many run at once."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from localcloud.gateway import faults
from tests.e2e.conftest import Deployment, eventually
from tests.reliability import deployments, sweeps
from tests.reliability.aborts import abort_at_random
from tests.reliability.redrives import Ended, problems, redrive_all
from tests.reliability.single_faults import Case, Outcome, bad, run_all, start
from tests.reliability.sweeps import Swept
from tests.support import SAMPLE

pytestmark = pytest.mark.e2e

# One of each way a call can go wrong where it matters; the exhaustive run takes them all.
SLICE = [
    Case("sagemaker", "CreateTrainingJob", 1, "lost-answer"),
    Case("sagemaker", "CreateTrainingJob", 1, "throttle"),
    Case("sagemaker", "CreateModel", 1, "lost-answer"),
    Case("sagemaker", "CreateEndpointConfig", 1, "lost-answer"),
    Case("sagemaker", "CreateEndpoint", 1, "lost-answer"),
    Case("sagemaker", "CreateEndpoint", 1, "fail"),
    Case("sagemaker", "CreateTransformJob", 1, "lost-answer"),
    Case("sagemaker", "DescribeTrainingJob", 1, "fail"),
    Case("sagemaker", "DescribeEndpoint", 1, "throttle"),
    Case("sagemaker", "DeleteEndpoint", 1, "lost-answer"),
    Case("sagemaker", "DeleteEndpointConfig", 1, "fail"),
    Case("sagemaker", "ListEndpoints", 1, "hang"),
    Case("sagemaker-runtime", "InvokeEndpoint", 1, "throttle"),
    Case("lambda", "Invoke", 1, "throttle"),
    Case("lambda", "Invoke", 2, "lost-answer"),
    Case("s3", "GetObject", 1, "fail"),
    Case("s3", "PutObject", 1, "lost-answer"),
]


@pytest.fixture(scope="module")
def outcomes(cloud_app: Deployment) -> dict[str, Outcome]:
    """How the runs with one fault each ended, by the fault."""
    return {str(each.case): each for each in run_all(cloud_app, SLICE)}


@pytest.mark.parametrize("case", SLICE, ids=str)
def test_one_fault_is_got_over_and_leaves_nothing(outcomes: dict[str, Outcome], case: Case) -> None:
    """The call is repeated or adopted, and the run succeeds."""
    outcome = outcomes[str(case)]
    assert outcome.hit
    assert outcome.status == "SUCCEEDED", outcome
    assert not bad(outcome)


def test_what_a_lost_answer_made_is_adopted(outcomes: dict[str, Outcome]) -> None:
    """Not made twice: the second try finds it and asks whose it is."""
    for operation, noun in (
        ("CreateModel", "model"),
        ("CreateEndpointConfig", "endpoint config"),
        ("CreateEndpoint", "endpoint"),
    ):
        states = outcomes[f"sagemaker:{operation} #1 lost-answer"].states
        assert f"Whose is the {noun}?" in states
        assert f"Another's {noun}" not in states


def test_nothing_is_left_after_all_of_them(
    cloud_app: Deployment, outcomes: dict[str, Outcome]
) -> None:
    """Neither endpoints nor configurations nor running jobs, those of lost answers included."""
    assert len(outcomes) == len(SLICE)
    assert cloud_app.left() == {}


LASTING: dict[str, tuple[dict[str, Any], str, str]] = {
    "a refused creation fails at once": (
        {"operation": "CreateModel", "fault": "fail", "error": "AccessDeniedException"},
        "SageMaker.AmazonSageMakerException",
        "AccessDeniedException",
    ),
    "no quota for the endpoint": (
        {"operation": "CreateEndpointConfig", "fault": "fail", "error": "ValidationException"},
        "SageMaker.AmazonSageMakerException",
        "ValidationException",
    ),
    "the endpoint cannot be asked": (
        {"service": "sagemaker-runtime", "operation": "InvokeEndpoint", "fault": "fail",
         "error": "ModelError", "status": 424},
        "",
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", LASTING)
def test_a_lasting_failure_ends_in_an_error_that_says_what(
    cloud_app: Deployment, what: str
) -> None:
    """FAILED, with the error a person can act on, nothing repeated in vain, nothing left."""
    fault, error, cause = LASTING[what]
    name = f"lasting-{list(LASTING).index(what)}-x"
    wanted = {"service": "sagemaker", "every": 1, "containing": name, **fault}
    faults.post(cloud_app.cloud, {"faults": [wanted]})
    try:
        described = cloud_app.ended(start(cloud_app, name), 120)
        (after,) = faults.post(cloud_app.cloud, None)["faults"]
    finally:
        faults.post(cloud_app.cloud, {})
    assert described["status"] == "FAILED", described
    assert error in described["error"]
    assert cause in described["cause"]
    assert after["hit"] == 1 or not cause
    eventually(lambda: not cloud_app.left(), "the clean-up")
    assert not [model for model in cloud_app.models() if f"-{name}-" in model]


def test_runs_stopped_at_any_moment_leave_nothing(cloud_app: Deployment) -> None:
    """Eight aborts at random moments; tests/reliability/exhaustive_aborts.py makes two hundred."""
    chance = random.Random(3)  # noqa: S311 (not for secrets)
    aborted = 0
    # On a fast machine some runs have ended before their moment comes.
    while aborted < 8:
        found = abort_at_random(cloud_app, 8, chance)
        assert found.aborted > 0
        aborted += found.aborted
        assert cloud_app.left() == {}
        assert found.models == []


REDRIVES = [
    Ended("Prepare the data", "fail"),
    Ended("Create the endpoint", "fail"),
    Ended("Evaluate", "fail"),
    Ended("Train the model", "stop"),
    Ended("Transform the batch", "stop"),
    Ended("Finish", "stop", swept=True),
]


def test_a_run_goes_on_from_where_it_ended(cloud_app: Deployment) -> None:
    """Redriven, it succeeds; exhaustive_redrives.py takes every state."""
    found = redrive_all(cloud_app, REDRIVES)
    assert [problem for each in found for problem in problems(each)] == []
    assert cloud_app.left() == {}


def test_a_run_redriven_in_the_middle_of_its_sweep_finds_no_name_taken(
    cloud_app: Deployment,
) -> None:
    """The Parallel is entered again in one redrive; exhaustive_redrives.py takes every moment."""
    found = sweeps.sweep_all(
        cloud_app,
        [Swept("Transform the batch", step, 1.0) for step in ("DeleteModel", "ListModels")],
    )
    assert [problem for each in found for problem in each.problems()] == []
    assert all(each.met for each in found)


def test_runs_of_before_a_deployment_go_on(cloud_app: Deployment, tmp_path: Path) -> None:
    """Redriven, by the present functions and the former jobs; exhaustive_deployments.py has all."""
    before, kept = deployments.code_of_functions(cloud_app), deployments.code_of_jobs(cloud_app)
    other = deployments.changed(tmp_path, "other")
    found = redrive_all(
        cloud_app,
        [Ended("Prepare on an instance", "stop"), Ended("Evaluate", "fail")],
        meanwhile=lambda: deployments.deploy(cloud_app, other),
    )
    assert [problem for each in found for problem in problems(each)] == []
    after = deployments.code_of_functions(cloud_app)
    assert after.keys() == before.keys()
    assert not after.items() & before.items()
    (former,) = kept
    assert deployments.code_of_jobs(cloud_app)[former]
    assert deployments.code_of_job(cloud_app, found[0].after["executionArn"]) == {former}


def test_ten_runs_at_once_all_succeed_within_their_bounds(cloud_app: Deployment) -> None:
    """Payloads stay under 32 KB and histories under 500 events."""
    with ThreadPoolExecutor(10) as pool:
        arns = list(pool.map(lambda number: start(cloud_app, f"ten-{number}-x"), range(10)))
        ended = list(pool.map(lambda arn: cloud_app.ended(arn, 240), arns))
    assert [each["status"] for each in ended] == ["SUCCEEDED"] * 10, ended
    assert cloud_app.left() == {}


def test_every_path_so_far_kept_payloads_and_history_small(cloud_app: Deployment) -> None:
    """Whatever went wrong above: far below the limits of 256 KB and 25,000 events."""
    client = cloud_app.cloud.client("stepfunctions")
    arns = cloud_app.executions()
    assert arns
    for arn in arns:
        events = [
            event
            for page in client.get_paginator("get_execution_history").paginate(executionArn=arn)
            for event in page["events"]
        ]
        assert len(events) < 500, arn
        for event in events:
            for key, details in event.items():
                if key.endswith("EventDetails"):
                    for field in ("input", "output", "parameters"):
                        assert len(str(details.get(field, "")).encode()) < 32_768, (
                            arn,
                            event["id"],
                        )


def test_ten_files_at_once_make_ten_runs(cloud_app: Deployment) -> None:
    """Each its own, and no other."""
    before = set(cloud_app.executions())
    s3 = cloud_app.cloud.client("s3")
    with ThreadPoolExecutor(10) as pool:
        keys = [f"incoming/batch/{number}.arff" for number in range(10)]
        list(pool.map(lambda key: s3.upload_file(str(SAMPLE), cloud_app.bucket, key), keys))
    eventually(lambda: len(set(cloud_app.executions()) - before) >= 10, "ten runs", 90)
    arns = set(cloud_app.executions()) - before
    ended = [cloud_app.ended(arn, 240) for arn in arns]
    assert [each["status"] for each in ended] == ["SUCCEEDED"] * 10
    uris = {json.loads(each["output"])["data"]["source"]["uri"] for each in ended}
    assert uris == {f"s3://{cloud_app.bucket}/{key}" for key in keys}
    assert set(cloud_app.executions()) - before == arns


def test_an_event_delivered_again_and_again_makes_one_run(cloud_app: Deployment) -> None:
    """Many at the same moment, and once more when the run has ended."""
    cloud_app.cloud.client("s3").upload_file(str(SAMPLE), cloud_app.bucket, "uploads/again.arff")
    before = set(cloud_app.executions())
    with ThreadPoolExecutor(5) as pool:
        said = list(pool.map(lambda _: deliver(cloud_app, "uploads/again.arff"), range(15)))
    assert any(each["started"] for each in said)
    (arn,) = set(cloud_app.executions()) - before
    assert cloud_app.ended(arn, 120)["status"] == "SUCCEEDED"
    late = deliver(cloud_app, "uploads/again.arff")
    assert (late["started"], late["reason"]) == (False, "already started")
    assert set(cloud_app.executions()) - before == {arn}


def deliver(app: Deployment, key: str) -> dict[str, Any]:
    """Hand the starter one and the same event of a file; return what it says."""
    functions = app.cloud.client("lambda")
    (name,) = (
        each["FunctionName"]
        for each in functions.list_functions()["Functions"]
        if each["Handler"] == "lambda.start.handler.handler"
    )
    item = {"key": key, "size": 1, "etag": "e", "sequencer": "0A"}
    event = {"detail": {"bucket": {"name": app.bucket}, "object": item}}
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    assert "FunctionError" not in answer
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    return said
