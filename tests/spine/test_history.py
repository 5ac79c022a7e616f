"""Reading an execution's history."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from spine import history
from spine.history import State, Status
from tests.spine.stories import BEGIN, Story, told

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> tuple[State, ...]:
    """The states of a history recorded from the local cloud."""
    events = json.loads((RECORDED / f"{name}.json").read_text())
    for event in events:
        event["timestamp"] = datetime.fromisoformat(event["timestamp"])
    return history.read(events)


def outline(states: tuple[State, ...]) -> list[object]:
    """Names and statuses, branches as lists inside."""
    found: list[object] = []
    for state in states:
        found.append((state.name, state.status.value))
        if state.branches:
            found.append([outline(branch) for branch in state.branches])
    return found


def test_states_in_order_with_their_durations() -> None:
    """Each state lasts from its entering to its leaving, and one that runs lasts until now."""

    def tell(story: Story) -> None:
        story.task("Plan", seconds=0.5)
        story.enter("Train")
        story.schedule(resource="sagemaker:createTrainingJob.sync", parameters='{"Job": "j"}')

    plan, train = history.read(told(tell))
    now = BEGIN + timedelta(seconds=3)
    assert (plan.name, plan.status, plan.seconds(now)) == ("Plan", Status.SUCCEEDED, 0.5)
    assert (train.name, train.status, train.seconds(now)) == ("Train", Status.RUNNING, 2.5)
    assert train.resource == "sagemaker:createTrainingJob.sync"
    assert train.parameters == {"Job": "j"}


def test_the_order_in_which_events_arrive_does_not_matter() -> None:
    """Events read newest first give the same states."""
    events = told(lambda story: (story.task("Plan"), story.task("Train")))
    assert history.read(reversed(events)) == history.read(events)


def test_branches_of_a_parallel_are_apart_however_their_events_mix() -> None:
    """States of parallel branches are told apart by their predecessors, not by their order."""

    def tell(story: Story) -> None:
        story.enter("Both", kind="Parallel")
        fork = story.add("ParallelStateStarted")
        left = story.enter("A1", after=fork)
        right = story.enter("B1", after=fork)
        left = story.leave("A1", after=left)
        right = story.leave("B1", after=right)
        story.enter("B2", after=right)
        story.enter("A2", after=left)

    (both,) = history.read(told(tell))
    assert [[state.name for state in branch] for branch in both.branches] == [
        ["A1", "A2"],
        ["B1", "B2"],
    ]


def test_the_end_of_a_parallel_returns_to_the_states_around_it() -> None:
    """The state after a Parallel is its sibling, though its end follows an event of a branch."""

    def tell(story: Story) -> None:
        story.enter("Both", kind="Parallel")
        fork = story.add("ParallelStateStarted")
        story.task("A1", after=fork)
        last = story.task("B1", after=fork)
        story.add("ParallelStateSucceeded", after=last)
        story.leave("Both", kind="Parallel", after=last)
        story.task("Finish")

    assert outline(history.read(told(tell))) == [
        ("Both", "succeeded"),
        [[("A1", "succeeded")], [("B1", "succeeded")]],
        ("Finish", "succeeded"),
    ]


def test_a_loop_is_one_state_with_its_visits_counted_and_its_time_summed() -> None:
    """States entered again by a loop are folded; the times between visits do not count."""

    def tell(story: Story) -> None:
        for seconds in (1, 2, 4):
            story.task("Wait", seconds=seconds)
            story.task("Look", seconds=0.25)

    wait, look = history.read(told(tell))
    assert (wait.visits, wait.done_seconds) == (3, 7)
    assert (look.visits, look.done_seconds) == (3, 0.75)


def test_a_failed_attempt_may_be_retried_and_a_success_mends_it() -> None:
    """Between a failure and the next attempt the state is retrying; a later success counts."""
    story = Story()
    story.enter("Prepare")
    story.schedule()
    story.add("TaskFailed", error="SourceUnreachableError", cause="no answer")
    (state,) = history.read(story.events)
    assert (state.status, state.error) == (Status.RETRYING, "SourceUnreachableError")
    story.schedule()
    story.add("TaskSucceeded", output='{"Payload": {"rows": 310}}')
    story.leave("Prepare")
    (state,) = history.read(story.events)
    assert (state.status, state.attempts) == (Status.SUCCEEDED, 2)
    assert state.result == {"Payload": {"rows": 310}}


@pytest.mark.parametrize("kind", ["TaskFailed", "TaskTimedOut", "LambdaFunctionFailed"])
def test_a_state_left_right_after_a_failure_was_caught(kind: str) -> None:
    """A Catch leaves the state through an ordinary exit; the failure before it tells."""

    def tell(story: Story) -> None:
        story.enter("Train")
        story.schedule()
        story.add(kind, error="AlgorithmError", cause="bad data")
        story.leave("Train")
        story.task("Clean up")

    train, clean_up = history.read(told(tell))
    assert (train.status, train.error, train.cause) == (Status.FAILED, "AlgorithmError", "bad data")
    assert clean_up.status is Status.SUCCEEDED


def test_a_failed_branch_interrupts_the_others() -> None:
    """When a Parallel fails, what still ran in its other branches was stopped, not failed."""
    states = recorded("failed")
    assert outline(states)[-4:] == [
        ("Serve and score", "failed"),
        [
            [
                ("Endpoint wanted?", "succeeded"),
                ("Create the endpoint config", "succeeded"),
                ("Create the endpoint", "succeeded"),
                ("Wait for the endpoint", "stopped"),
            ],
            [
                ("Batch wanted?", "succeeded"),
                ("Transform the batch", "succeeded"),
                ("Evaluate", "failed"),
            ],
        ],
        ("Clean up after failure", "succeeded"),
        ("Run failed", "failed"),
    ]


def test_nothing_runs_any_more_when_the_execution_is_over() -> None:
    """An aborted execution stops the states that were open, inside branches too."""

    def tell(story: Story) -> None:
        story.enter("Both", kind="Parallel")
        fork = story.add("ParallelStateStarted")
        story.enter("A1", after=fork)
        story.at = 2
        story.add("ExecutionAborted", after=0, error="Interrupted")

    states = history.read(told(tell))
    assert outline(states) == [("Both", "stopped"), [[("A1", "stopped")]]]
    assert states[0].seconds(BEGIN + timedelta(hours=1)) == 2


def test_the_end_of_an_execution_can_be_known_before_its_last_event() -> None:
    """A history that lags behind the execution's status shows nothing running after its end."""
    story = Story()
    story.enter("Train")
    story.schedule()
    (train,) = history.read(story.events, ended=BEGIN + timedelta(seconds=3))
    assert (train.status, train.done_seconds) == (Status.STOPPED, 3)


def test_an_uncaught_failure_ends_its_state() -> None:
    """With no Catch the execution fails in the state, which carries the error."""

    def tell(story: Story) -> None:
        story.enter("Plan")
        story.schedule()
        story.add("TaskFailed", error="InvalidInputError", cause="{}")
        story.add("ExecutionFailed", error="InvalidInputError", cause="{}")

    (plan,) = history.read(told(tell))
    assert (plan.status, plan.error) == (Status.FAILED, "InvalidInputError")


def test_the_failing_state_is_where_it_began() -> None:
    """Neither the Parallel around it, nor the clean-up, nor the final Fail is to blame."""
    found = history.failing(recorded("failed"), "Runtime.ImportModuleError")
    assert found is not None
    assert found.name == "Evaluate"


def test_a_fail_state_inside_a_branch_is_where_it_began() -> None:
    """A Fail state has no error of its own in the history and is found all the same."""

    def tell(story: Story) -> None:
        story.enter("Serve", kind="Parallel")
        fork = story.add("ParallelStateStarted")
        story.task("Look", after=fork)
        story.enter("Endpoint failed", kind="Fail")
        story.add("ParallelStateFailed")
        story.leave("Serve", kind="Parallel")
        story.task("Clean up after failure")
        story.enter("Run failed", kind="Fail")
        story.add("ExecutionFailed", error="EndpointFailedError", cause="it is Failed")

    found = history.failing(history.read(told(tell)), "EndpointFailedError")
    assert found is not None
    assert found.name == "Endpoint failed"
