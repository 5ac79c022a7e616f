"""What may pass by itself is tried again, and only that."""

import pytest

from gates.machine import Machine
from tests.stacks.states import CREATIONS, REFUSED, api, routed
from tests.support import jsonata


@pytest.mark.parametrize("creation", CREATIONS)
@pytest.mark.parametrize(
    "cause",
    [
        api("ThrottlingException", "Rate exceeded"),
        api("InternalFailure", status=500),
        api("ServiceUnavailable", status=503),
        api("ValidationException", 'Could not find model "spine-dev-x".'),
    ],
)
def test_what_may_pass_by_itself_is_repeated_four_times(
    machine: Machine, creation: str, cause: str
) -> None:
    """Throttling, the service's own failures, and what is not found yet; then it fails."""
    ways = [routed(machine, creation, REFUSED, cause, tries) for tries in range(6)]
    assert len(set(ways[:4])) == 1
    assert machine.states()[ways[0]]["Type"] == "Wait"
    assert machine.states()[ways[0]]["Next"] == creation
    assert set(ways[4:]) <= {"Clean up after failure", "Endpoint failed", "Batch failed"}


@pytest.mark.parametrize("creation", CREATIONS)
@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (REFUSED, api("ValidationException", "1 validation error detected")),
        (REFUSED, api("AccessDeniedException", "User is not authorized")),
        ("States.TaskFailed", '{"FailureReason":"AlgorithmError: Throttle is no feature"}'),
        ("States.TaskFailed", '{"FailureReason":"ClientError: Could not find the label"}'),
        ("States.Runtime", "The Parameters could not be used to start the Task"),
    ],
)
def test_what_can_never_work_is_not_repeated(
    machine: Machine, creation: str, error: str, cause: str
) -> None:
    """A refused request or a failed algorithm fails the run at once; a preparation says why."""
    way = routed(machine, creation, error, cause, 0)
    if creation.startswith("Prepare ") and error == "States.TaskFailed":
        assert way == "Read why"
    else:
        assert way in {"Clean up after failure", "Endpoint failed", "Batch failed"}


@pytest.mark.parametrize(
    "creation",
    ["Prepare on an instance", "Prepare with Spark", "Train the model", "Transform the batch"],
)
def test_a_job_without_capacity_is_repeated_minutes_later(machine: Machine, creation: str) -> None:
    """SageMaker tells it in the reason the job failed for; the wait grows from a minute."""
    cause = '{"FailureReason":"CapacityError: Unable to provision requested ML compute capacity."}'
    way = routed(machine, creation, "States.TaskFailed", cause, 0)
    wait = machine.states()[way]
    _, failure, counter = CREATIONS[creation]
    for tries, minutes in ((1, 1), (2, 2), (3, 4), (4, 8)):
        variables = {failure: {"Error": "States.TaskFailed", "Cause": cause}, counter: tries}
        assert minutes * 30 <= jsonata(wait["Seconds"], variables) <= minutes * 60
    variables = {failure: {"Error": REFUSED, "Cause": api("Throttling")}, counter: 4}
    assert 12 <= jsonata(wait["Seconds"], variables) <= 24


QUOTA = (
    "The account-level service limit 'ml.m5.xlarge for training job usage' is {} Instances, with"
    " current utilization of {} Instances and a request delta of {} Instances. Please use AWS"
    " Service Quotas to request an increase for this quota."
)


@pytest.mark.parametrize("creation", CREATIONS)
@pytest.mark.parametrize(
    ("quota", "passing"),
    [
        (QUOTA.format(0, 0, 1), False),
        (QUOTA.format(2, 0, 3), False),
        (QUOTA.format(2, 2, 1), True),
        (QUOTA.format(10, 9, 2), True),
        ("The limit on concurrent endpoints is reached.", True),
    ],
)
def test_a_quota_is_waited_for_only_if_it_can_become_free(
    machine: Machine, creation: str, quota: str, *, passing: bool
) -> None:
    """One that is too small, a new account's 0 above all, fails at once in SageMaker's words."""
    error = "SageMaker.ResourceLimitExceededException"
    cause = api("ResourceLimitExceeded", quota)
    way = machine.states()[routed(machine, creation, error, cause, 0)]
    assert (way["Type"] == "Wait") is passing
    if passing:
        _, failure, counter = CREATIONS[creation]
        longest = jsonata(way["Seconds"], {failure: {"Error": error, "Cause": cause}, counter: 4})
        assert 40 <= longest <= 80
    retried = [each["ErrorEquals"] for each in machine.tasks()[creation]["Retry"]]
    assert error not in str(retried)


@pytest.mark.parametrize("creation", ["Create the model", "Create the endpoint"])
def test_a_creation_that_never_answers_is_asked_for_again(machine: Machine, creation: str) -> None:
    """Whether it took effect, the next try tells; a job that took its whole time is over."""
    way = routed(machine, creation, "States.Timeout", "", 0)
    assert machine.states()[way]["Next"] == creation
    assert routed(machine, "Train the model", "States.Timeout", "", 0) == "Clean up after failure"


@pytest.mark.parametrize(
    ("creation", "failed"),
    [
        ("Create the endpoint config", "Endpoint failed"),
        ("Create the endpoint", "Endpoint failed"),
        ("Transform the batch", "Batch failed"),
    ],
)
def test_what_was_swept_is_not_waited_for(machine: Machine, creation: str, failed: str) -> None:
    """A redriven run goes back for it at once; only what was just made may be found later."""
    cause = api("ValidationException", 'Could not find model "spine-dev-x".')
    assert routed(machine, creation, REFUSED, cause, 0, redrives=1) == failed
    throttled = api("ThrottlingException", "Rate exceeded")
    assert routed(machine, creation, REFUSED, throttled, 0, redrives=1) != failed
