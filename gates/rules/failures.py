"""What follows a failure: retries, catches, clean-ups, and how a run fails."""

import json
import re
from collections.abc import Iterator
from typing import Any

from gates.machine import Machine, State, action, is_expression, reached, successors
from gates.rules.registry import ASL, SAGEMAKER_API, STEP_FUNCTIONS, Found, Rules

RULES = Rules()

# The longest that a retry may hold up a run, in seconds.
_RETRY_BUDGET = 3600
_MOST_DELAY = 120


@RULES.rule(
    "task-timeout",
    why="An answer that is lost is waited for until the machine's own limit",
    source=f"{STEP_FUNCTIONS}/sfn-best-practices.html#sfn-best-practices-timeouts",
)
def _task_timeout(machine: Machine) -> Found:
    for name, task in machine.tasks().items():
        timeout = task.get("TimeoutSeconds")
        if not is_expression(timeout) and not (isinstance(timeout, int) and timeout > 0):
            yield name, "has no TimeoutSeconds"


@RULES.rule(
    "retry",
    why="Services throttle and fail for a moment: one such answer must not end a run",
    source=f"{STEP_FUNCTIONS}/concepts-error-handling.html",
)
def _retry(machine: Machine) -> Found:
    for name, task in machine.tasks().items():
        if not any(each.get("MaxAttempts", 3) > 0 for each in task.get("Retry", [])):
            yield name, "retries nothing"


# Raised by our own function while it waits for what it deletes: one caller, nothing to spread.
_OWN_WAITS = {"EndpointBusyError"}


@RULES.rule(
    "retry-jitter",
    why="Runs that were throttled together come back together without it",
    source="https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/",
)
def _retry_jitter(machine: Machine) -> Found:
    for name, retry in _retries(machine):
        waits = set(retry["ErrorEquals"]) <= _OWN_WAITS
        if retry.get("JitterStrategy") != "FULL" and not waits:
            yield name, f"retries {retry['ErrorEquals'][0]} without jitter"


@RULES.rule(
    "retry-cap",
    why="Delays that double reach hours, while an endpoint is paid for",
    source=f"{STEP_FUNCTIONS}/concepts-error-handling.html#error-handling-retrying-after-an-error",
)
def _retry_cap(machine: Machine) -> Found:
    for name, retry in _retries(machine):
        cap = retry.get("MaxDelaySeconds")
        if not isinstance(cap, int) or not 0 < cap <= _MOST_DELAY:
            yield name, f"retries {retry['ErrorEquals'][0]} without a MaxDelaySeconds"


@RULES.rule(
    "retry-budget",
    why="What cannot work must be given up, and cleaned up after, within the hour",
    source=f"{STEP_FUNCTIONS}/concepts-error-handling.html#error-handling-retrying-after-an-error",
)
def _retry_budget(machine: Machine) -> Found:
    for name, retry in _retries(machine):
        delay = float(retry.get("IntervalSeconds", 1))
        total = 0.0
        for _ in range(min(retry.get("MaxAttempts", 3), 10_000)):
            total += min(delay, _MOST_DELAY, retry.get("MaxDelaySeconds", _MOST_DELAY))
            delay *= retry.get("BackoffRate", 2)
        if total > _RETRY_BUDGET:
            yield name, f"waits up to {total:.0f} s for {retry['ErrorEquals'][0]}"


@RULES.rule(
    "retry-backoff",
    why="Asking again at the same pace keeps a throttled service throttled",
    source="https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/",
)
def _retry_backoff(machine: Machine) -> Found:
    for name, retry in _retries(machine):
        if retry.get("BackoffRate", 2) <= 1:
            yield name, f"retries {retry['ErrorEquals'][0]} at one pace"


@RULES.rule(
    "retry-named-errors",
    why="A user's mistake does not go away by repeating it, and training twice costs twice",
    source=f"{STEP_FUNCTIONS}/concepts-error-handling.html",
)
def _retry_named(machine: Machine) -> Found:
    for name, retry in _retries(machine):
        for error in {"States.ALL", "States.TaskFailed"} & set(retry["ErrorEquals"]):
            yield name, f"retries {error}"


def _retries(machine: Machine) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine.states().items():
        for retry in state.get("Retry", []):
            if retry.get("MaxAttempts", 3) > 0:
                yield name, retry


@RULES.rule(
    "task-catch",
    why="An error nobody catches ends the run at once, past its clean-up",
    source=f"{STEP_FUNCTIONS}/concepts-error-handling.html#error-handling-fallback-states",
)
def _task_catch(machine: Machine) -> Found:
    yield from _uncaught(machine, "Task")


@RULES.rule(
    "parallel-catch",
    why="A branch that fails stops the other, and then the run, with an endpoint left",
    source=f"{ASL}#parallel-state",
)
def _parallel_catch(machine: Machine) -> Found:
    yield from _uncaught(machine, "Parallel")


def _uncaught(machine: Machine, kind: str) -> Found:
    # Inside a branch the Parallel's own Catch takes what fails.
    for name, state in machine.definition["States"].items():
        if state["Type"] != kind or name in machine.failing():
            continue
        caught = [error for catch in state.get("Catch", []) for error in catch["ErrorEquals"]]
        if "States.ALL" not in caught:
            yield name, "does not catch States.ALL"


@RULES.rule(
    "catch-keeps-error",
    why="The run must end with the error that began it, not with what came of it",
    source=f"{ASL}#errors",
)
def _catch_keeps_error(machine: Machine) -> Found:
    for name, state in machine.definition["States"].items():
        for catch in state.get("Catch", []):
            assigned = catch.get("Assign", {}).get("failure")
            kept = assigned == "{% $states.errorOutput %}" or (
                assigned == "{% $failure %}" and name not in _before_any_failure(machine)
            )
            if name not in machine.clean_ups() | machine.failing() and not kept:
                yield name, "catches an error without keeping it"


def _before_any_failure(machine: Machine) -> set[str]:
    """The states that a run may enter without an error: none that holds one, so far."""
    states = machine.definition["States"]
    found, open_states = set(), [machine.definition["StartAt"]]
    while open_states:
        name = open_states.pop()
        # A transition to nowhere is for another rule to find.
        if name in states and name not in found:
            found.add(name)
            open_states += successors(states[name], caught=False)
    return found


@RULES.rule(
    "clean-up-keeps-error",
    why="A clean-up that fails after a failure must not hide why the run failed",
    source=f"{ASL}#errors",
)
def _clean_up_keeps_error(machine: Machine) -> Found:
    states = machine.definition["States"]
    for name in machine.clean_ups() & states.keys():
        to_fail = any(each in machine.failing() for each in successors(states[name]))
        for catch in states[name].get("Catch", []):
            if to_fail and "failure" in catch.get("Assign", {}):
                yield name, "replaces the first error by its own"


@RULES.rule(
    "catch-keeps-ids",
    why="Without the run's name the clean-up does not know what to delete",
    source=f"{STEP_FUNCTIONS}/workflow-variables.html",
)
def _catch_keeps_ids(machine: Machine) -> Found:
    planned = False
    for name, state in machine.states().items():
        for scope in (state, *state.get("Catch", []), *state.get("Choices", [])):
            if "plan" not in scope.get("Assign", {}):
                continue
            if planned or scope is not state:
                yield name, "assigns the plan anew"
            planned = True
    for name, state in machine.tasks().items():
        if name in machine.clean_ups():
            run = state["Arguments"]["Payload"].get("run_name")
            if run != "{% $plan.run.name %}":
                yield name, "does not clean up by the plan's name"


@RULES.rule(
    "clean-up-after-create",
    why="What is created and not deleted is paid for by the hour, for ever",
    source=f"{SAGEMAKER_API}/API_DeleteEndpoint.html",
)
def _clean_up_after_create(machine: Machine) -> Found:
    states = machine.definition["States"]
    # What a run is for is not paid for while it is there.
    free = {name for name, _, kind in machine.creations() if kind.is_result}
    makes = {
        name
        for name, state in states.items()
        if action(state).startswith("create") or '"EndpointName"' in json.dumps(state)
    } - (machine.clean_ups() | free)
    keeps = machine.calls("addTags")
    for made in sorted(makes - keeps):
        for name in sorted(reached(states, [made], past=machine.clean_ups())):
            state = states[name]
            if name in machine.clean_ups():
                continue
            ends = state.get("End") or state["Type"] in {"Fail", "Succeed"}
            if ends and not _kept_knowingly(states, made, name, keeps, machine.clean_ups()):
                yield name, f"ends the run past every clean-up after {made!r}"


def _kept_knowingly(
    states: dict[str, State], start: str, end: str, keeps: set[str], clean_ups: set[str]
) -> bool:
    """Whether every way there passes a state that tags the endpoint with its time to live."""
    return end not in reached(states, [start], past=clean_ups | keeps)


@RULES.rule(
    "failure-ends-in-fail",
    why="A run that failed and shows as SUCCEEDED is believed",
    source=f"{ASL}#fail-state",
)
def _failure_fails(machine: Machine) -> Found:
    states = machine.definition["States"]
    # Another attempt may end well: what counts is where a failure goes without one.
    attempts = {
        name for name, state in states.items() if state["Type"] in {"Task", "Parallel"}
    } - machine.clean_ups()
    for name, state in states.items():
        for catch in state.get("Catch", []):
            for end in reached(states, [catch["Next"]], past=attempts) - attempts:
                if states[end].get("End") or states[end]["Type"] == "Succeed":
                    yield name, f"fails and then ends well in {end!r}"
    for name in machine.failing():
        if states[states[name].get("Next", name)]["Type"] != "Fail":
            yield name, "need not fail"


@RULES.rule(
    "failure-redrives",
    why="A failed run that ends in a Fail state, or catches what it fails with, is lost",
    source=f"{STEP_FUNCTIONS}/redrive-executions.html#redrive-behavior-states",
)
def _failure_redrives(machine: Machine) -> Found:
    states = machine.definition["States"]
    if not machine.failing():
        yield "-", "no failed run can be redriven"
    for name in states.keys() - machine.failing():
        following = [states[each] for each in successors(states[name]) if each in states]
        if any(each["Type"] == "Fail" for each in following):
            choice = states[name]["Type"] == "Choice" and "RedriveCount" in str(states[name])
            if not choice:
                yield name, "leads to a Fail state, which a redrive only enters again"
    for name in machine.failing():
        caught = {error for each in states[name].get("Catch", []) for error in each["ErrorEquals"]}
        redriven = re.search(
            r"RedriveCount > \$failed_in \? '(\w+)'", str(states[name]["Arguments"].get("Error"))
        )
        if not redriven or redriven[1] not in caught:
            yield name, "does not catch that it is redriven"
        for error in caught & {"States.ALL", "States.TaskFailed", "States.Timeout"}:
            yield name, f"catches {error}, which may be what the run fails with"


def _original(member: str) -> str:
    """A pattern of the expression for what was caught: another text stands for null alone."""
    caught = rf"\$failure\.{member}"
    return rf"\({caught} = null \? '[A-Za-z]*' : {caught}\)"


@RULES.rule(
    "failure-is-original",
    why="The error a run ends with is what alarms and people see",
    source=f"{ASL}#fail-state",
)
def _failure_is_original(machine: Machine) -> Found:
    for name in machine.failing():
        given = machine.tasks()[name]["Arguments"]
        for member in ("Error", "Cause"):
            if not re.search(rf"\$substring\({_original(member)}, 0, ", str(given.get(member))):
                yield name, "does not end with the error that was caught"
    for name, state in machine.definition["States"].items():
        if state["Type"] == "Fail" and not all(
            re.fullmatch(rf"\{{% {_original(member)} %\}}", str(state.get(member)))
            for member in ("Error", "Cause")
        ):
            yield name, "does not end with the error that was caught"
