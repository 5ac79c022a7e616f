"""The state machine's definition: bounded, repeated where it helps, and always cleaned up after."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gates.assembly import Assembly
from tests.support import jsonata

State = dict[str, Any]


@pytest.fixture(scope="module")
def definition(dev: Assembly) -> dict[str, Any]:
    """The definition of the development stage."""
    return dev.definition()


def all_states(definition: dict[str, Any]) -> Iterator[tuple[str, State]]:
    """Every state, those inside Parallel's branches included."""
    for name, state in definition["States"].items():
        yield name, state
        for branch in state.get("Branches", []):
            yield from all_states(branch)


def tasks(definition: dict[str, Any]) -> dict[str, State]:
    """Every Task, by name."""
    return {name: state for name, state in all_states(definition) if state["Type"] == "Task"}


def successors(state: State) -> set[str]:
    """The states that may follow, errors included."""
    choices = [choice["Next"] for choice in state.get("Choices", [])]
    caught = [catch["Next"] for catch in state.get("Catch", [])]
    return {*choices, *caught, *(state[key] for key in ("Next", "Default") if key in state)}


def test_the_main_path_reads_top_to_bottom(definition: dict[str, Any]) -> None:
    """Following Next from the start tells the story a stranger sees in the console."""
    path, name = [], definition["StartAt"]
    while name:
        path.append(name)
        state = definition["States"][name]
        # Small files, as most are, go to the function.
        name = state["Choices"][0]["Next"] if name == "Which engine?" else state.get("Next")
    assert path == [
        "Plan the run",
        "Which engine?",
        "Prepare the data",
        "Train the model",
        "Create the model",
        "Finished already?",
    ]
    assert definition["States"]["Finished already?"]["Default"] == "Serve and score"
    assert definition["States"]["Serve and score"]["Next"] == "Quality gate"


def test_the_machine_and_every_task_are_bounded_in_time(definition: dict[str, Any]) -> None:
    """Nothing can wait for ever, least of all for an answer that was lost."""
    assert definition["TimeoutSeconds"] == 24 * 3600
    assert [name for name, task in tasks(definition).items() if "TimeoutSeconds" not in task] == []


def test_every_retry_backs_off_with_a_cap(definition: dict[str, Any]) -> None:
    """Each task repeats transient errors, with growing, capped waits."""
    for name, task in tasks(definition).items():
        assert task["Retry"], name
        for retry in task["Retry"]:
            assert retry["BackoffRate"] > 1, name
            assert retry["MaxDelaySeconds"] <= 120, name
            assert retry["JitterStrategy"] in {"FULL", "NONE"}, name
            assert "States.ALL" not in retry["ErrorEquals"], name


def test_every_error_is_caught(definition: dict[str, Any]) -> None:
    """Each task and the Parallel around the branches catch everything, but for the failing."""
    for name, state in definition["States"].items():
        if state["Type"] in {"Task", "Parallel"} and name != "Run failed":
            caught = [error for catch in state["Catch"] for error in catch["ErrorEquals"]]
            assert caught == ["States.ALL"], name


def test_any_failure_after_planning_passes_the_clean_up(definition: dict[str, Any]) -> None:
    """The one way around it is a plan that failed, when there is nothing to clean."""
    states = definition["States"]
    to_failed = {name for name, state in states.items() if "Run failed" in successors(state)}
    assert to_failed == {"Plan the run", "Clean up after failure"}
    to_failed.add("Run failed")
    choices = {
        "Prepare on an instance again?",
        "Prepare with Spark again?",
        "Train again?",
        "Create the model again?",
        "Redriven and swept?",
    }
    for name, state in states.items():
        if state["Type"] in {"Task", "Parallel"} and name not in to_failed:
            (caught,) = [catch["Next"] for catch in state["Catch"]]
            assert caught in {"Clean up after failure", *choices}, name
    for name in choices:
        assert states[name]["Default"] == "Clean up after failure"


def test_a_failure_keeps_its_error_and_cause(definition: dict[str, Any]) -> None:
    """What the execution reports is what went wrong first, not what came of it."""
    failing = definition["States"]["Run failed"]
    assert failing["Resource"].endswith(":::aws-sdk:sfn:sendTaskFailure.waitForTaskToken")
    long = {"Error": "E" * 300, "Cause": "C" * 40_000}
    seen = {"states": {"context": {"Execution": {"RedriveCount": 1}}}, "failed_in": 1}
    for member, longest in (("Error", 256), ("Cause", 32_768)):
        said = jsonata(failing["Arguments"][member], {**seen, "failure": long})
        assert said == long[member][:longest]
    # Should Step Functions refuse the call, the run still ends with its error.
    for_good = definition["States"]["Run failed for good"]
    assert (for_good["Type"], for_good["Error"], for_good["Cause"]) == (
        "Fail",
        "{% $failure.Error %}",
        "{% $failure.Cause %}",
    )
    assert failing["Next"] == failing["Catch"][1]["Next"] == "Run failed for good"
    clean_up = definition["States"]["Clean up after failure"]
    assert clean_up["Next"] == "Run failed"
    # Its own failure must not replace the one that led here.
    assert all("Assign" not in catch for catch in clean_up["Catch"])


def test_every_way_to_the_end_deletes_the_endpoint_or_keeps_it_knowingly(
    definition: dict[str, Any],
) -> None:
    """Once served, no path reaches an end state but through a clean-up or the keeping."""
    states = definition["States"]
    # A model alone is free; one that is made again follows a finished run only.
    passes = {"Clean up", "Clean up after failure", "Keep the endpoint", "Create the model"}
    seen, open_ends = set(), ["Serve and score"]
    while open_ends:
        name = open_ends.pop()
        if name in seen or name in passes:
            continue
        seen.add(name)
        assert "End" not in states[name], name
        assert states[name]["Type"] not in {"Fail", "Succeed"}, name
        open_ends += successors(states[name])


def test_an_endpoint_is_kept_only_past_the_gate(definition: dict[str, Any]) -> None:
    """A model that failed, or was not measured as asked, is never left serving."""
    states = definition["States"]
    leading = {name for name, state in states.items() if "Keep the endpoint?" in successors(state)}
    assert leading == {"Quality gate"}
    assert (
        states["Quality gate"]["Choices"][0]["Condition"] == "{% $evaluation.gate.passed = true %}"
    )
    assert states["Quality gate"]["Default"] == "Clean up"
    assert states["Keep the endpoint?"]["Default"] == "Clean up"


@pytest.mark.parametrize(
    ("state", "name"),
    [("Train the model", "TrainingJobName"), ("Transform the batch", "TransformJobName")],
)
def test_a_repeated_job_gets_a_new_name(definition: dict[str, Any], state: str, name: str) -> None:
    """Retry and redrive count are part of it, since failed jobs keep their names."""
    expression = tasks(definition)[state]["Arguments"][name]
    assert "$states.context.State.RetryCount" in expression
    assert "$states.context.Execution.RedriveCount" in expression
    assert tasks(definition)[state]["Resource"].endswith(".sync")


def test_all_that_sagemaker_makes_is_tagged_and_isolated(definition: dict[str, Any]) -> None:
    """The sweeper finds owners by tag; training and serving code has no network."""
    creating = {
        name: task
        for name, task in tasks(definition).items()
        if ":sagemaker:create" in task["Resource"]
    }
    assert creating
    for name, task in creating.items():
        tags = {tag["Key"] for tag in task["Arguments"]["Tags"]}
        assert tags == {"spine:stage", "spine:run", "spine:execution"}, name
    for name in ("Train the model", "Create the model"):
        assert creating[name]["Arguments"]["EnableNetworkIsolation"] is True
    assert creating["Train the model"]["Arguments"]["EnableInterContainerTrafficEncryption"] is True


def test_the_image_that_trains_also_serves(definition: dict[str, Any]) -> None:
    """Another version may load a model and predict wrong values silently."""
    found = tasks(definition)
    training = found["Train the model"]["Arguments"]["AlgorithmSpecification"]["TrainingImage"]
    serving = found["Create the model"]["Arguments"]["PrimaryContainer"]["Image"]
    assert training == serving
    assert training.endswith("/sagemaker-xgboost:3.2-0")


def test_what_is_off_does_nothing(definition: dict[str, Any]) -> None:
    """Each branch's first choice leads straight to its end unless the branch is wanted."""
    for branch in definition["States"]["Serve and score"]["Branches"]:
        first = branch["States"][branch["StartAt"]]
        idle = branch["States"][first["Default"]]
        assert (first["Type"], idle["Type"], idle["End"]) == ("Choice", "Pass", True)


def test_the_wait_for_the_endpoint_is_bounded(definition: dict[str, Any]) -> None:
    """The only way back to the wait asks whether looks are left."""
    states = dict(all_states(definition))
    (again,) = (
        choice
        for choice in states["Endpoint in service?"]["Choices"]
        if choice["Next"] == "Wait for the endpoint"
    )
    assert "$look < $count($plan.endpoint.polls)" in again["Condition"]
    assert states["Wait for the endpoint"]["Assign"] == {"look": "{% $look + 1 %}"}
    assert states["Endpoint in service?"]["Default"] == "Endpoint not in service"
    assert states["Endpoint not in service"]["Next"] == "Endpoint failed"


CREATIONS = {
    "Prepare on an instance": ("Prepare on an instance again?", "failure", "prepare_tries"),
    "Prepare with Spark": ("Prepare with Spark again?", "failure", "prepare_tries"),
    "Train the model": ("Train again?", "failure", "train_tries"),
    "Create the model": ("Create the model again?", "failure", "model_tries"),
    "Create the endpoint config": (
        "Create the endpoint config again?",
        "endpoint_failure",
        "config_tries",
    ),
    "Create the endpoint": ("Create the endpoint again?", "endpoint_failure", "endpoint_tries"),
    "Transform the batch": ("Transform again?", "batch_failure", "transform_tries"),
}
REFUSED = "SageMaker.AmazonSageMakerException"


def routed(
    definition: dict[str, Any],
    creation: str,
    error: str,
    cause: str,
    tries: int,
    redrives: int = 0,
) -> str:
    """Where an error of a creation leads, by the choice after it."""
    again, failure, counter = CREATIONS[creation]
    states = dict(all_states(definition))
    (catch,) = states[creation]["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], again)
    variables: dict[str, Any] = {failure: {"Error": error, "Cause": cause}, counter: tries}
    variables |= {"states": {"context": {"Execution": {"RedriveCount": redrives}}}}
    variables["model_made_in"] = 0
    for choice in states[again]["Choices"]:
        if jsonata(choice["Condition"], variables):
            if counter in choice.get("Assign", {}):
                assert jsonata(choice["Assign"][counter], variables) == tries + 1
            return str(choice["Next"])
    return str(states[again]["Default"])


def api(code: str, message: str = "No.", status: int = 400) -> str:
    """A cause as Step Functions words what SageMaker's API refused."""
    return (
        f"{message} (Service: AmazonSageMaker; Status Code: {status}; Error Code: {code};"
        " Request ID: 00000000-0000-0000-0000-000000000000; Proxy: null)"
    )


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
    definition: dict[str, Any], creation: str, cause: str
) -> None:
    """Throttling, the service's own failures, and what is not found yet; then it fails."""
    ways = [routed(definition, creation, REFUSED, cause, tries) for tries in range(6)]
    assert len(set(ways[:4])) == 1
    assert dict(all_states(definition))[ways[0]]["Type"] == "Wait"
    assert dict(all_states(definition))[ways[0]]["Next"] == creation
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
    definition: dict[str, Any], creation: str, error: str, cause: str
) -> None:
    """A refused request or a failed algorithm fails the run at once."""
    way = routed(definition, creation, error, cause, 0)
    assert way in {"Clean up after failure", "Endpoint failed", "Batch failed"}


@pytest.mark.parametrize(
    "creation",
    ["Prepare on an instance", "Prepare with Spark", "Train the model", "Transform the batch"],
)
def test_a_job_without_capacity_is_repeated_minutes_later(
    definition: dict[str, Any], creation: str
) -> None:
    """SageMaker tells it in the reason the job failed for; the wait grows from a minute."""
    cause = '{"FailureReason":"CapacityError: Unable to provision requested ML compute capacity."}'
    way = routed(definition, creation, "States.TaskFailed", cause, 0)
    wait = dict(all_states(definition))[way]
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
    definition: dict[str, Any], creation: str, quota: str, *, passing: bool
) -> None:
    """One that is too small, a new account's 0 above all, fails at once in SageMaker's words."""
    error = "SageMaker.ResourceLimitExceededException"
    cause = api("ResourceLimitExceeded", quota)
    way = dict(all_states(definition))[routed(definition, creation, error, cause, 0)]
    assert (way["Type"] == "Wait") is passing
    if passing:
        _, failure, counter = CREATIONS[creation]
        longest = jsonata(way["Seconds"], {failure: {"Error": error, "Cause": cause}, counter: 4})
        assert 40 <= longest <= 80
    retried = [each["ErrorEquals"] for each in tasks(definition)[creation]["Retry"]]
    assert error not in str(retried)


PREPARATIONS = ["Prepare on an instance", "Prepare with Spark"]


@pytest.mark.parametrize("creation", PREPARATIONS)
@pytest.mark.parametrize(
    "described",
    [
        '{"FailureReason":"InternalServerError: We encountered an internal error."}',
        '{"ExitMessage":"SourceUnreachableError: https://x could not be fetched"}',
    ],
)
def test_a_preparation_job_is_repeated_for_what_may_pass(
    definition: dict[str, Any], creation: str, described: str
) -> None:
    """SageMaker's own failures, and a source that is away, as the function's retries have it."""
    way = routed(definition, creation, "States.TaskFailed", described, 3)
    assert way.startswith("Wait to prepare")
    assert not routed(definition, creation, "States.TaskFailed", described, 4).startswith("Wait")


@pytest.mark.parametrize("creation", PREPARATIONS)
def test_a_preparation_job_that_refuses_is_asked_why(
    definition: dict[str, Any], creation: str
) -> None:
    """The error of the run is the one that the job has written, under the job's own name."""
    cause = '{"ProcessingJobName":"r-0-0","ExitMessage":"NotANumberError: line 3"}'
    assert routed(definition, creation, "States.TaskFailed", cause, 0) == "Read why"
    why = definition["States"]["Read why"]
    plan = {"bucket": "b", "places": {"preparation_key": "runs/r/preparation/"}}
    variables = {"plan": plan, "failure": {"Cause": cause}}
    assert jsonata(why["Arguments"]["Key"], variables) == "runs/r/preparation/r-0-0.json"
    failure = {"Error": "NotANumberError", "Cause": "{}"}
    body = json.dumps({"failure": failure})
    seen = jsonata(why["Assign"]["failure"], {"states": {"result": {"Body": body}}})
    assert seen == failure
    assert why["Next"] == "Clean up after failure"


@pytest.mark.parametrize("creation", PREPARATIONS)
def test_a_preparation_job_that_says_nothing_fails_as_it_is(
    definition: dict[str, Any], creation: str
) -> None:
    """A job that was killed has left no message: SageMaker's reason is what there is to tell."""
    cause = '{"FailureReason":"AlgorithmError: exit code: 137"}'
    assert routed(definition, creation, "States.TaskFailed", cause, 0) == "Clean up after failure"


@pytest.mark.parametrize(
    ("creation", "noun", "then"),
    [
        ("Create the model", "model", "Finished already?"),
        ("Create the endpoint config", "endpoint config", "Create the endpoint"),
        ("Create the endpoint", "endpoint", "Wait for the endpoint"),
    ],
)
def test_what_a_lost_answer_made_is_adopted_by_its_tags_only(
    definition: dict[str, Any], creation: str, noun: str, then: str
) -> None:
    """The same name with another's tags fails the run instead, and names the remedy."""
    cause = api("ValidationException", f'Cannot create already existing {noun} "arn:...".')
    way = routed(definition, creation, REFUSED, cause, 0)
    states = dict(all_states(definition))
    assert (way, states[way]["Next"]) == (f"Whose is the {noun}?", f"This run's {noun}?")
    ours = states[f"This run's {noun}?"]
    ((condition, following),) = [(each["Condition"], each["Next"]) for each in ours["Choices"]]
    context = {"context": {"Execution": {"Id": "arn:of:this"}}}
    for tags, same in (
        ([{"Key": "spine:execution", "Value": "arn:of:this"}], True),
        ([{"Key": "spine:execution", "Value": "arn:of:another"}], False),
        ([{"Key": "Name", "Value": "arn:of:this"}], False),
        ([], False),
    ):
        seen = jsonata(states[way]["Output"], {"states": {"result": {"Tags": tags}}})
        assert jsonata(condition, {"states": {"input": seen, **context}}) is same, tags
    assert following == then
    taken = states[ours["Default"]]["Assign"]
    assert "NameTakenError" in str(taken)


@pytest.mark.parametrize("creation", ["Create the model", "Create the endpoint"])
def test_a_creation_that_never_answers_is_asked_for_again(
    definition: dict[str, Any], creation: str
) -> None:
    """Whether it took effect, the next try tells; a job that took its whole time is over."""
    way = routed(definition, creation, "States.Timeout", "", 0)
    assert dict(all_states(definition))[way]["Next"] == creation
    assert (
        routed(definition, "Train the model", "States.Timeout", "", 0) == "Clean up after failure"
    )


def test_a_redriven_run_makes_again_what_was_swept_once(definition: dict[str, Any]) -> None:
    """An aborted run's model and endpoint are gone when it is redriven; it begins at the model."""
    states = definition["States"]
    for name in ("Serve and score", "Keep the endpoint"):
        assert [catch["Next"] for catch in states[name]["Catch"]] == ["Redriven and swept?"]
    made_in = states["Create the model"]["Assign"]["model_made_in"]
    passed = {"evaluation": {"gate": {"passed": True}}}
    for name in ("Redriven and swept?", "Model swept meanwhile?"):
        (choice,) = states[name]["Choices"]
        assert choice["Next"] == "Create the model"
        for redrives, made, expected in ((0, 0, False), (1, 0, True), (1, 1, False), (2, 1, True)):
            seen = {"states": {"context": {"Execution": {"RedriveCount": redrives}}}, **passed}
            assert jsonata(made_in, seen) == redrives
            assert jsonata(choice["Condition"], {**seen, "model_made_in": made}) is expected
    assert states["Model swept meanwhile?"]["Default"] == "Done"
    # Past its end, a run makes its model again and nothing else.
    (choice,) = states["Finished already?"]["Choices"]
    assert (choice["Condition"], choice["Next"]) == ("{% $finished %}", "Done")
    assert states["Finish"]["Assign"] == {"finished": True}


@pytest.mark.parametrize(
    ("creation", "failed"),
    [
        ("Create the endpoint config", "Endpoint failed"),
        ("Create the endpoint", "Endpoint failed"),
        ("Transform the batch", "Batch failed"),
    ],
)
def test_what_was_swept_is_not_waited_for(
    definition: dict[str, Any], creation: str, failed: str
) -> None:
    """A redriven run goes back for it at once; only what was just made may be found later."""
    cause = api("ValidationException", 'Could not find model "spine-dev-x".')
    assert routed(definition, creation, REFUSED, cause, 0, redrives=1) == failed
    throttled = api("ThrottlingException", "Rate exceeded")
    assert routed(definition, creation, REFUSED, throttled, 0, redrives=1) != failed


def test_a_failed_run_redriven_goes_on_where_it_had_failed(definition: dict[str, Any]) -> None:
    """Every Catch says where; what the clean-up deleted is made again, nothing else is."""
    states = definition["States"]
    failing, where = states["Run failed"], states["Where did it fail?"]
    assert failing["Catch"][0] == {"ErrorEquals": ["RunRedriven"], "Next": "Where did it fail?"}
    places = {
        catch["Assign"]["again_from"]: catch["Assign"]["failed_in"]
        for name, state in states.items()
        for catch in state.get("Catch", [])
        if name not in {"Clean up after failure", "Run failed"}
    }
    for place, failed_in in places.items():
        seen = {"states": {"context": {"Execution": {"RedriveCount": 2}}}, "again_from": place}
        assert jsonata(failed_in, seen) == 2
        failure = {"failure": {"Error": "First", "Cause": "Why"}}
        for before, said in ((1, "RunRedriven"), (2, "First")):
            given = {**seen, **failure, "failed_in": before}
            assert jsonata(failing["Arguments"]["Error"], given) == said
            ways = [
                choice["Next"] for choice in where["Choices"] if jsonata(choice["Condition"], given)
            ]
            # Which engine prepares is the plan's choice, and stays it.
            way = "Which engine?" if place == "Prepare the data" else place
            assert ways == ([way] if before == 1 else [])
    assert where["Default"] == "Run failed for good"
    assert places.keys() == {
        "Plan the run",
        "Prepare the data",
        "Train the model",
        "Create the model",
    }
    # Plan begins with the execution's own input, wherever the run came from.
    payload = states["Plan the run"]["Arguments"]["Payload"]
    assert payload["input"] == "{% $states.context.Execution.Input %}"
