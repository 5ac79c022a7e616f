"""Rules over the state machine's definition, which no template scanner looks into.

What SageMaker makes is made by the state machine, so that scanners of templates find none of it.
Each :class:`Rule` here is one thing that has gone wrong in pipelines of this kind, looked for in
the synthesized definition. `tests/gates/test_definition.py` proves each one with a mutant of the
real definition that this rule, and no other, catches.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jsonata import jsonata

from gates.assembly import ASSET, Assembly

State = dict[str, Any]
Found = Iterator[tuple[str, str]]

_ASL = "https://states-language.net/spec.html"
_STEP = "https://docs.aws.amazon.com/step-functions/latest/dg"
_API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference"
_CONTROLS = "https://docs.aws.amazon.com/securityhub/latest/userguide/sagemaker-controls.html"

# The longest that a retry may hold up a run, in seconds.
_RETRY_BUDGET = 3600
_MOST_DELAY = 120
# The integrations with a `.sync` form (Step Functions, "Optimized integrations").
_SYNC = (
    "createTrainingJob",
    "createTransformJob",
    "createProcessingJob",
    "createHyperParameterTuningJob",
)
_SERVICES = {"lambda", "sagemaker", "s3", "dynamodb"}
_TAGS = {"spine:stage", "spine:run", "spine:execution"}
_NAMES = {
    "createModel": "ModelName",
    "createEndpointConfig": "EndpointConfigName",
    "createEndpoint": "EndpointName",
}
_JOBS = {
    "createProcessingJob": "ProcessingJobName",
    "createTrainingJob": "TrainingJobName",
    "createTransformJob": "TransformJobName",
}
_KMS = {
    "createProcessingJob": (("ProcessingResources", "ClusterConfig", "VolumeKmsKeyId"),),
    "createTrainingJob": (("ResourceConfig", "VolumeKmsKeyId"), ("OutputDataConfig", "KmsKeyId")),
    "createTransformJob": (
        ("TransformResources", "VolumeKmsKeyId"),
        ("TransformOutput", "KmsKeyId"),
    ),
    "createEndpointConfig": (("KmsKeyId",),),
}


@dataclass(frozen=True)
class Machine:
    """A state machine as synthesized.

    Attributes:
        definition: With references resolved.
        properties: Of the CloudFormation resource (logging, tracing).
        literal: The parts of the definition's text that are the same wherever it is deployed.
    """

    definition: dict[str, Any]
    properties: dict[str, Any]
    literal: str

    @classmethod
    def of(cls, assembly: Assembly) -> "Machine":
        """The one machine of an app."""
        kind = "AWS::StepFunctions::StateMachine"
        (resolved,) = assembly.resources(kind).values()
        (raw,) = (
            each["Properties"]["DefinitionString"]
            for each in assembly.templates["pipeline"]["Resources"].values()
            if each["Type"] == kind
        )
        parts = raw["Fn::Join"][1] if isinstance(raw, dict) else [raw]
        # An asset's name is a hash, in which any digits may stand.
        literal = "\n".join(ASSET.sub("code.zip", part) for part in parts if isinstance(part, str))
        return cls(json.loads(resolved["DefinitionString"]), resolved, literal)

    def scopes(self) -> list[dict[str, Any]]:
        """The machine and every branch: what has a StartAt and States."""
        found, open_scopes = [], [self.definition]
        while open_scopes:
            scope = open_scopes.pop(0)
            found.append(scope)
            for state in scope["States"].values():
                open_scopes += state.get("Branches", [])
                if "ItemProcessor" in state:
                    open_scopes.append(state["ItemProcessor"])
        return found

    def states(self) -> dict[str, State]:
        """Every state, those in branches included, by name."""
        return {name: each for scope in self.scopes() for name, each in scope["States"].items()}

    def tasks(self) -> dict[str, State]:
        """Every Task, by name."""
        return {name: each for name, each in self.states().items() if each["Type"] == "Task"}

    def calls(self, *actions: str) -> dict[str, State]:
        """The tasks that call one of these actions of SageMaker; all creations when none given."""
        return {
            name: task
            for name, task in self.tasks().items()
            if (action(task) in actions if actions else action(task).startswith("create"))
        }

    def failing(self) -> set[str]:
        """The tasks by which a failed run ends: they report a failure to themselves."""
        return {
            name
            for name, task in self.tasks().items()
            if task["Resource"].endswith(":sfn:sendTaskFailure.waitForTaskToken")
        }

    def clean_ups(self) -> set[str]:
        """The states that call the clean-up function."""
        return {
            name
            for name, task in self.tasks().items()
            if "delete_model" in (task["Arguments"].get("Payload") or {})
        }


@dataclass(frozen=True)
class Rule:
    """One thing that must not be.

    Attributes:
        name: Short, and the same for ever: findings and mutants refer to it.
        why: What happens otherwise.
        source: Who says so.
        check: Yields a state (or "-") and what is wrong with it.
    """

    name: str
    why: str
    source: str
    check: Callable[[Machine], Found]


@dataclass(frozen=True)
class Finding:
    """A rule broken somewhere."""

    rule: Rule
    state: str
    problem: str

    def __str__(self) -> str:
        return f"{self.rule.name}: {self.state}: {self.problem}. {self.rule.why}"


RULES: list[Rule] = []
_FLAG = re.compile(r"\{% \$(\w+) %\}")


def findings(machine: Machine) -> list[Finding]:
    """Every broken rule, everywhere it is broken."""
    return [
        Finding(rule, state, problem) for rule in RULES for state, problem in rule.check(machine)
    ]


def _rule(name: str, *, why: str, source: str) -> Callable[[Callable[[Machine], Found]], None]:
    def register(check: Callable[[Machine], Found]) -> None:
        RULES.append(Rule(name, why, source, check))

    return register


def action(task: State) -> str:
    """The SageMaker action a task calls, without its pattern; empty for other services."""
    match = re.search(r":::(?:aws-sdk:)?sagemaker:(\w+)", str(task.get("Resource", "")))
    return match[1] if match else ""


def successors(
    state: State, *, caught: bool = True, unset: frozenset[str] = frozenset()
) -> list[str]:
    """The states that may follow, those after errors included unless told otherwise.

    Args:
        state: The state.
        caught: Whether those after errors count.
        unset: Variables known to be false: a Choice by one of them alone is not taken.
    """
    found = [state[key] for key in ("Next", "Default") if key in state]
    found += [
        choice["Next"]
        for choice in state.get("Choices", [])
        if not (flag := _FLAG.fullmatch(choice.get("Condition", ""))) or flag[1] not in unset
    ]
    if caught:
        found += [catch["Next"] for catch in state.get("Catch", [])]
    return found


def _walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a JSON value with the dotted path to it."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _walk(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each, path)
    else:
        yield path, value


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _keys(each)
    elif isinstance(value, list):
        for each in value:
            yield from _keys(each)


def _is_expression(value: object) -> bool:
    return isinstance(value, str) and value.startswith("{%")


def _reached(states: dict[str, State], start: list[str], *, past: set[str]) -> set[str]:
    """What can be reached without passing on from any of the states in `past`.

    A variable that only states beyond those set to true is false on the way.
    """
    setting = {
        flag: {name for name, state in states.items() if state.get("Assign", {}).get(flag) is True}
        for flag in _flags(states)
    }
    unset = frozenset(setting)
    while True:
        seen: set[str] = set()
        open_states = list(start)
        while open_states:
            name = open_states.pop()
            if name in seen or name not in states:
                continue
            seen.add(name)
            if name not in past:
                open_states += successors(states[name], unset=unset)
        set_on_the_way = {flag for flag in unset if setting[flag] & seen}
        if not set_on_the_way:
            return seen
        unset -= set_on_the_way


def _flags(states: dict[str, State]) -> set[str]:
    """The variables that a Choice asks for alone and some state assigns true to."""
    asked = {
        flag[1]
        for state in states.values()
        for choice in state.get("Choices", [])
        if (flag := _FLAG.fullmatch(choice.get("Condition", "")))
    }
    return {
        flag
        for flag in asked
        if any(state.get("Assign", {}).get(flag) is True for state in states.values())
    }


# The machine


@_rule(
    "machine-timeout",
    why="An execution may run for a year, and what it waits for is paid for as long",
    source=f"{_STEP}/sfn-best-practices.html",
)
def _machine_timeout(machine: Machine) -> Found:
    if not 0 < machine.definition.get("TimeoutSeconds", 0) <= 7 * 86400:
        yield "-", "has no TimeoutSeconds of at most a week"


@_rule(
    "comments",
    why="The console shows them to a person who has never seen this machine",
    source=f"{_ASL}#toplevelfields",
)
def _comments(machine: Machine) -> Found:
    if not machine.definition.get("Comment", "").strip():
        yield "-", "has no Comment"


@_rule(
    "jsonata",
    why="JSONPath and JSONata in one machine read data by two sets of rules",
    source=f"{_STEP}/transforming-data.html",
)
def _jsonata(machine: Machine) -> Found:
    if machine.definition.get("QueryLanguage") != "JSONata":
        yield "-", "QueryLanguage is not JSONata"
    for name, state in machine.states().items():
        if state.get("QueryLanguage", "JSONata") != "JSONata":
            yield name, "QueryLanguage is not JSONata"


@_rule(
    "expressions",
    why="A malformed expression fails the run where it is first evaluated, after money was spent",
    source=f"{_ASL}#jsonata",
)
def _expressions(machine: Machine) -> Found:
    for name, state in machine.states().items():
        for path, value in _walk({k: v for k, v in state.items() if k != "Branches"}):
            if not isinstance(value, str) or ("{%" not in value and "%}" not in value):
                continue
            if not (value.startswith("{%") and value.endswith("%}")):
                yield name, f"{path} is only partly an expression"
                continue
            try:
                jsonata.Jsonata(value[2:-2])
            except Exception as error:  # noqa: BLE001 (whatever the parser says, it does not parse)
                yield name, f"{path} does not parse: {error}"


@_rule(
    "no-data-in-logs",
    why="Inputs name files and results carry predictions: logs are read by more people than data",
    source=f"{_STEP}/cw-logs.html",
)
def _no_data_in_logs(machine: Machine) -> Found:
    if machine.properties.get("LoggingConfiguration", {}).get("IncludeExecutionData") is not False:
        yield "-", "the log includes execution data"


@_rule(
    "logs",
    why="What happened in a run must be known after its history is gone (90 days)",
    source="https://docs.aws.amazon.com/securityhub/latest/userguide/stepfunctions-controls.html",
)
def _logs(machine: Machine) -> Found:
    logging = machine.properties.get("LoggingConfiguration", {})
    if logging.get("Level") != "ALL" or not logging.get("Destinations"):
        yield "-", "not every state is logged"


@_rule(
    "tracing",
    why="Traces tell which of the services was slow",
    source=f"{_STEP}/concepts-xray-tracing.html",
)
def _tracing(machine: Machine) -> Found:
    if machine.properties.get("TracingConfiguration", {}).get("Enabled") is not True:
        yield "-", "tracing is off"


@_rule(
    "no-place",
    why="One template must deploy into every account and region",
    source="https://docs.aws.amazon.com/cdk/v2/guide/environments.html",
)
def _no_place(machine: Machine) -> Found:
    # The key of the setting `encryption_key` is where its owner has put it.
    literal = re.sub(r"arn:aws[\w-]*:kms:[\w-]+:\d{12}:key/[\w-]+", "", machine.literal)
    for match in re.findall(r"(?<!\d)\d{12}(?!\d)|\b[a-z]{2}(?:-gov)?-[a-z]+-\d\b", literal):
        yield "-", f"{match} is written out"


# How states hang together


@_rule(
    "transitions",
    why="A state that names none after it, or one that is not there, cannot be deployed",
    source=f"{_ASL}#transition",
)
def _transitions(machine: Machine) -> Found:
    for scope in machine.scopes():
        states = scope["States"]
        if scope.get("StartAt") not in states:
            yield "-", f"StartAt {scope.get('StartAt')!r} is no state"
        for name, state in states.items():
            for missing in set(successors(state)) - states.keys():
                yield name, f"goes on to {missing!r}, which is no state"
            ends = state.get("End") or state["Type"] in {"Fail", "Succeed", "Choice"}
            if not ends and "Next" not in state:
                yield name, "neither ends nor goes on"


@_rule(
    "reachable",
    why="A state that nothing leads to is a step somebody believes in",
    source=f"{_ASL}#transition",
)
def _reachable(machine: Machine) -> Found:
    for scope in machine.scopes():
        for name in scope["States"].keys() - _reached(
            scope["States"], [scope.get("StartAt", "")], past=set()
        ):
            yield name, "cannot be reached"


@_rule(
    "names",
    why="People find a state by its name in the console, in logs and in alarms",
    source=f"{_ASL}#states-fields",
)
def _names(machine: Machine) -> Found:
    seen: set[str] = set()
    for scope in machine.scopes():
        for name in scope["States"]:
            if not re.fullmatch(r"[A-Z][A-Za-z0-9 ,?'-]{2,78}[A-Za-z0-9?]", name):
                yield name, "is not a readable name of at most 80 characters"
            if name in seen:
                yield name, "is the name of two states"
            seen.add(name)


@_rule(
    "keys",
    why="A field with a blank in its name is another field, and is ignored",
    source=_ASL,
)
def _blank_keys(machine: Machine) -> Found:
    for name, state in machine.states().items():
        for key in _keys(state):
            if key != key.strip() and key not in machine.states():
                yield name, f"has the field {key!r}"


@_rule(
    "choice-default",
    why="A Choice that nothing matches fails with States.NoChoiceMatched, which no Catch takes",
    source=f"{_ASL}#choice-state",
)
def _choice_default(machine: Machine) -> Found:
    for name, state in machine.states().items():
        if state["Type"] == "Choice" and "Default" not in state:
            yield name, "has no Default"


@_rule(
    "bounded-loops",
    why="A loop without a count waits for as long as the machine may run",
    source=f"{_STEP}/sfn-best-practices.html",
)
def _bounded_loops(machine: Machine) -> Found:
    for scope in machine.scopes():
        states = scope["States"]
        free = {
            name: [each for each in successors(state) if each not in _counted(states, name)]
            for name, state in states.items()
        }
        for name in states:
            seen: set[str] = set()
            open_states = list(free[name])
            while open_states:
                each = open_states.pop()
                if each not in seen and each in free:
                    seen.add(each)
                    open_states += free[each]
            if name in seen:
                yield name, "is come back to without a count"


def _counted(states: dict[str, State], name: str) -> set[str]:
    """The states that a Choice goes on to only so many times.

    Either its condition holds a counter below a limit, and going there counts, or it compares the
    number of redrives with the one of the last time: each is a person's decision.
    """
    found = set()
    assigned = json.dumps(
        [
            scope.get("Assign", {})
            for each in states.values()
            for scope in (each, *each.get("Catch", []))
        ]
    )
    for choice in states[name].get("Choices", []):
        condition = str(choice.get("Condition"))
        target = states.get(choice["Next"], {})
        counting = json.dumps([choice.get("Assign", {}), target.get("Assign", {})])
        counters = re.findall(r"\$(\w+) <", condition)
        redriven = re.findall(r"Execution\.RedriveCount > \$(\w+)", condition)
        if any(f"${each} + 1" in counting for each in counters) or any(
            f'"{each}": "{{% $states.context.Execution.RedriveCount %}}"' in assigned
            for each in redriven
        ):
            found.add(choice["Next"])
    return found


@_rule(
    "bounded-waits",
    why="A wait that the input decides can hold an endpoint for as long",
    source=f"{_ASL}#wait-state",
)
def _bounded_waits(machine: Machine) -> Found:
    for name, state in machine.states().items():
        if state["Type"] != "Wait":
            continue
        seconds = state.get("Seconds")
        if isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds <= 900:
            continue
        if not _is_expression(seconds) or "$states." in str(seconds):
            yield name, "waits neither a short time nor one of the plan or a counter"


@_rule(
    "fail-states",
    why="Whoever is told of the failure must be told which",
    source=f"{_ASL}#fail-state",
)
def _fail_states(machine: Machine) -> Found:
    for name, state in machine.states().items():
        if state["Type"] == "Fail" and not (state.get("Error") and state.get("Cause")):
            yield name, "lacks its Error or its Cause"


# Failures


@_rule(
    "task-timeout",
    why="An answer that is lost is waited for until the machine's own limit",
    source=f"{_STEP}/sfn-best-practices.html#sfn-best-practices-timeouts",
)
def _task_timeout(machine: Machine) -> Found:
    for name, task in machine.tasks().items():
        timeout = task.get("TimeoutSeconds")
        if not _is_expression(timeout) and not (isinstance(timeout, int) and timeout > 0):
            yield name, "has no TimeoutSeconds"


@_rule(
    "retry",
    why="Services throttle and fail for a moment: one such answer must not end a run",
    source=f"{_STEP}/concepts-error-handling.html",
)
def _retry(machine: Machine) -> Found:
    for name, task in machine.tasks().items():
        if not any(each.get("MaxAttempts", 3) > 0 for each in task.get("Retry", [])):
            yield name, "retries nothing"


# Raised by our own function while it waits for what it deletes: one caller, nothing to spread.
_OWN_WAITS = {"EndpointBusyError"}


@_rule(
    "retry-jitter",
    why="Runs that were throttled together come back together without it",
    source="https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/",
)
def _retry_jitter(machine: Machine) -> Found:
    for name, retry in _retries(machine):
        waits = set(retry["ErrorEquals"]) <= _OWN_WAITS
        if retry.get("JitterStrategy") != "FULL" and not waits:
            yield name, f"retries {retry['ErrorEquals'][0]} without jitter"


@_rule(
    "retry-cap",
    why="Delays that double reach hours, while an endpoint is paid for",
    source=f"{_STEP}/concepts-error-handling.html#error-handling-retrying-after-an-error",
)
def _retry_cap(machine: Machine) -> Found:
    for name, retry in _retries(machine):
        cap = retry.get("MaxDelaySeconds")
        if not isinstance(cap, int) or not 0 < cap <= _MOST_DELAY:
            yield name, f"retries {retry['ErrorEquals'][0]} without a MaxDelaySeconds"


@_rule(
    "retry-budget",
    why="What cannot work must be given up, and cleaned up after, within the hour",
    source=f"{_STEP}/concepts-error-handling.html#error-handling-retrying-after-an-error",
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


@_rule(
    "retry-backoff",
    why="Asking again at the same pace keeps a throttled service throttled",
    source="https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/",
)
def _retry_backoff(machine: Machine) -> Found:
    for name, retry in _retries(machine):
        if retry.get("BackoffRate", 2) <= 1:
            yield name, f"retries {retry['ErrorEquals'][0]} at one pace"


@_rule(
    "retry-named-errors",
    why="A user's mistake does not go away by repeating it, and training twice costs twice",
    source=f"{_STEP}/concepts-error-handling.html",
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


@_rule(
    "task-catch",
    why="An error nobody catches ends the run at once, past its clean-up",
    source=f"{_STEP}/concepts-error-handling.html#error-handling-fallback-states",
)
def _task_catch(machine: Machine) -> Found:
    yield from _uncaught(machine, "Task")


@_rule(
    "parallel-catch",
    why="A branch that fails stops the other, and then the run, with an endpoint left",
    source=f"{_ASL}#parallel-state",
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


@_rule(
    "catch-keeps-error",
    why="The run must end with the error that began it, not with what came of it",
    source=f"{_ASL}#errors",
)
def _catch_keeps_error(machine: Machine) -> Found:
    for name, state in machine.definition["States"].items():
        for catch in state.get("Catch", []):
            kept = catch.get("Assign", {}).get("failure") == "{% $states.errorOutput %}"
            if name not in machine.clean_ups() | machine.failing() and not kept:
                yield name, "catches an error without keeping it"


@_rule(
    "clean-up-keeps-error",
    why="A clean-up that fails after a failure must not hide why the run failed",
    source=f"{_ASL}#errors",
)
def _clean_up_keeps_error(machine: Machine) -> Found:
    states = machine.definition["States"]
    for name in machine.clean_ups() & states.keys():
        to_fail = any(each in machine.failing() for each in successors(states[name]))
        for catch in states[name].get("Catch", []):
            if to_fail and "failure" in catch.get("Assign", {}):
                yield name, "replaces the first error by its own"


@_rule(
    "catch-keeps-ids",
    why="Without the run's name the clean-up does not know what to delete",
    source=f"{_STEP}/workflow-variables.html",
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


@_rule(
    "clean-up-after-create",
    why="What is created and not deleted is paid for by the hour, for ever",
    source=f"{_API}/API_DeleteEndpoint.html",
)
def _clean_up_after_create(machine: Machine) -> Found:
    states = machine.definition["States"]
    # A model is not paid for, and is what a run is for.
    free = set(machine.calls("createModel"))
    makes = {
        name
        for name, state in states.items()
        if action(state).startswith("create") or '"EndpointName"' in json.dumps(state)
    } - (machine.clean_ups() | free)
    keeps = set(machine.calls("addTags"))
    for made in sorted(makes - keeps):
        for name in sorted(_reached(states, [made], past=machine.clean_ups())):
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
    return end not in _reached(states, [start], past=clean_ups | keeps)


@_rule(
    "failure-ends-in-fail",
    why="A run that failed and shows as SUCCEEDED is believed",
    source=f"{_ASL}#fail-state",
)
def _failure_fails(machine: Machine) -> Found:
    states = machine.definition["States"]
    # Another attempt may end well: what counts is where a failure goes without one.
    attempts = {
        name for name, state in states.items() if state["Type"] in {"Task", "Parallel"}
    } - machine.clean_ups()
    for name, state in states.items():
        for catch in state.get("Catch", []):
            for end in _reached(states, [catch["Next"]], past=attempts) - attempts:
                if states[end].get("End") or states[end]["Type"] == "Succeed":
                    yield name, f"fails and then ends well in {end!r}"
    for name in machine.failing():
        if states[states[name].get("Next", name)]["Type"] != "Fail":
            yield name, "need not fail"


@_rule(
    "failure-redrives",
    why="A failed run that ends in a Fail state, or catches what it fails with, is lost",
    source=f"{_STEP}/redrive-executions.html#redrive-behavior-states",
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


@_rule(
    "failure-is-original",
    why="The error a run ends with is what alarms and people see",
    source=f"{_ASL}#fail-state",
)
def _failure_is_original(machine: Machine) -> Found:
    for name in machine.failing():
        given = machine.tasks()[name]["Arguments"]
        for member in ("Error", "Cause"):
            if f"$substring($failure.{member}, 0, " not in str(given.get(member)):
                yield name, "does not end with the error that was caught"
    for name, state in machine.definition["States"].items():
        if state["Type"] == "Fail" and (state.get("Error"), state.get("Cause")) != (
            "{% $failure.Error %}",
            "{% $failure.Cause %}",
        ):
            yield name, "does not end with the error that was caught"


# What SageMaker is asked for


@_rule(
    "training-isolation",
    why="A container with a network can send the training data anywhere",
    source=f"{_API}/API_CreateTrainingJob.html#sagemaker-CreateTrainingJob-request-EnableNetworkIsolation",
)
def _training_isolation(machine: Machine) -> Found:
    for name, task in machine.calls("createTrainingJob").items():
        if task["Arguments"].get("EnableNetworkIsolation") is not True:
            yield name, "has a network"


@_rule(
    "training-encryption",
    why="Instances of one job exchange the data in clear text otherwise",
    source=f"{_API}/API_CreateTrainingJob.html",
)
def _training_encryption(machine: Machine) -> Found:
    for name, task in machine.calls("createTrainingJob", "createProcessingJob").items():
        network = task["Arguments"].get("NetworkConfig") or task["Arguments"]
        if network.get("EnableInterContainerTrafficEncryption") is not True:
            yield name, "does not encrypt traffic between its instances"


@_rule(
    "model-isolation",
    why="A served model sees every row it is asked about",
    source=_CONTROLS,
)
def _model_isolation(machine: Machine) -> Found:
    for name, task in machine.calls("createModel").items():
        if task["Arguments"].get("EnableNetworkIsolation") is not True:
            yield name, "has a network"


@_rule(
    "tags",
    why="Without them nobody can tell whose a resource is, and the sweeper must leave it",
    source=_CONTROLS,
)
def _tags(machine: Machine) -> Found:
    for name, task in machine.calls().items():
        given = {each["Key"] for each in task["Arguments"].get("Tags", [])}
        for missing in sorted(_TAGS - given):
            yield name, f"lacks the tag {missing}"


@_rule(
    "unique-job-names",
    why="The name of a failed job stays taken: a retry or a redrive with it fails for ever",
    source=f"{_API}/API_CreateTrainingJob.html#sagemaker-CreateTrainingJob-request-TrainingJobName",
)
def _unique_jobs(machine: Machine) -> Found:
    for name, task in machine.calls(*_JOBS).items():
        given = str(task["Arguments"].get(_JOBS[action(task)]))
        for part in ("$plan.run.name", "Execution.RedriveCount", "State.RetryCount"):
            if part not in given:
                yield name, f"the job's name does not hold {part}"


@_rule(
    "run-names",
    why="The clean-up finds what a run made by the run's name",
    source=f"{_API}/API_CreateEndpoint.html",
)
def _run_names(machine: Machine) -> Found:
    for name, task in machine.calls(*_NAMES).items():
        if "$plan.run.name" not in str(task["Arguments"].get(_NAMES[action(task)])):
            yield name, "is not named after the run"


@_rule(
    "stopping-condition",
    why="A job runs, and is paid for, up to a day by default",
    source=f"{_API}/API_StoppingCondition.html",
)
def _stopping(machine: Machine) -> Found:
    for name, task in machine.calls("createTrainingJob", "createProcessingJob").items():
        if not task["Arguments"].get("StoppingCondition"):
            yield name, "has no StoppingCondition"


@_rule(
    "timeout-above-runtime",
    why="A task that gives up before its job stops pays for a job whose result nobody takes",
    source=f"{_API}/API_StoppingCondition.html",
)
def _timeout_above_runtime(machine: Machine) -> Found:
    for name, task in machine.calls("createTrainingJob").items():
        timeout = str(task.get("TimeoutSeconds"))
        follows = all(
            part in timeout for part in ("MaxRuntimeInSeconds", "MaxWaitTimeInSeconds", "+ ")
        )
        if "TimeoutSeconds" in task and not follows:
            yield name, "its timeout does not exceed the job's own limit"


@_rule(
    "sync",
    why="A poll of our own misses what Step Functions does: stopping the job when the run stops",
    source=f"{_STEP}/connect-sagemaker.html",
)
def _sync(machine: Machine) -> Found:
    for name, task in machine.calls(*_SYNC).items():
        if not task["Resource"].endswith(".sync"):
            yield name, "does not wait with .sync"


@_rule(
    "own-image",
    why="Whoever may start a run could have SageMaker's role run a container of theirs",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/security-iam.html",
)
def _own_image(machine: Machine) -> Found:
    images = {}
    for name, task in machine.calls(
        "createProcessingJob", "createTrainingJob", "createModel"
    ).items():
        arguments = task["Arguments"]
        image = (
            (arguments.get("AlgorithmSpecification") or {}).get("TrainingImage")
            or (arguments.get("AppSpecification") or {}).get("ImageUri")
            or (arguments.get("PrimaryContainer") or {}).get("Image")
        )
        images[name] = image
        if not isinstance(image, str) or _is_expression(image) or image.endswith(":latest"):
            yield name, "its image is not fixed by the template"


@_rule(
    "one-image",
    why="A model loaded by another version of the library predicts wrong values silently",
    source="https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html",
)
def _one_image(machine: Machine) -> Found:
    fixed = {
        value
        for task in machine.tasks().values()
        for path, value in _walk(task.get("Arguments", {}))
        if path.endswith(("TrainingImage", "PrimaryContainer.Image"))
        and not _is_expression(value)
        and not value.endswith(":latest")
    }
    if len(fixed) > 1:
        yield "-", "the image that trains is not the one that serves"


@_rule(
    "own-role",
    why="Whoever may start a run could have SageMaker act under a role of their choice",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html",
)
def _own_role(machine: Machine) -> Found:
    for name, task in machine.tasks().items():
        for path, value in _walk(task.get("Arguments", {})):
            if path.endswith("RoleArn") and (_is_expression(value) or "*" in str(value)):
                yield name, f"{path} is not fixed by the template"


@_rule(
    "own-functions",
    why="A function chosen at run time is a function somebody else chose",
    source=f"{_STEP}/connect-lambda.html",
)
def _own_functions(machine: Machine) -> Found:
    for name, task in machine.tasks().items():
        if ":::lambda:invoke" not in task["Resource"]:
            continue
        function = str(task["Arguments"].get("FunctionName"))
        if not re.fullmatch(r"arn:aws:lambda:[^:*{%]+:\d{12}:function:[\w.-]+(:[\w-]+)?", function):
            yield name, f"calls {function!r}"


@_rule(
    "services",
    why="Each service the machine calls is one its role must be trusted with",
    source=f"{_STEP}/integrate-services.html",
)
def _services(machine: Machine) -> Found:
    for name, task in machine.tasks().items():
        match = re.fullmatch(r"arn:aws:states:::(?:aws-sdk:)?(\w+):\w+(\.sync)?", task["Resource"])
        if name not in machine.failing() and (not match or match[1] not in _SERVICES):
            yield name, f"calls {task['Resource']}"


@_rule(
    "places",
    why="Data read or written outside the run's own folder is another run's, or another account's",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
)
def _places(machine: Machine) -> Found:
    for name, task in machine.tasks().items():
        for path, value in _walk(task.get("Arguments", {})):
            if path.rpartition(".")[2] not in {"S3Uri", "S3OutputPath", "ModelDataUrl"}:
                continue
            # Code comes from where the template puts it.
            if not re.fullmatch(
                r"\{% \$(plan\.places\.\w+|training\.model_data) %\}|s3://[^{%]+/code\.zip",
                str(value),
            ):
                yield name, f"{path} is not one of the plan's places"


@_rule(
    "by-reference",
    why="A payload over 256 KiB fails the run, and rows of data stay in the history",
    source=f"{_STEP}/sfn-best-practices.html#avoid-exec-failures",
)
def _by_reference(machine: Machine) -> Found:
    for name, state in machine.states().items():
        kept = {key: state[key] for key in ("Assign", "Output") if key in state}
        for path, value in _walk(kept):
            if str(value).strip("{}% ") in {"$states.result", "$states.result.Body"}:
                yield name, f"{path} keeps a whole answer"


@_rule(
    "input-read-once",
    why="What the plan has not checked must not be read by any later state",
    source="https://owasp.org/www-community/Injection_Flaws",
)
def _input_read_once(machine: Machine) -> Found:
    first = machine.definition.get("StartAt", "")
    plan = machine.definition["States"].get(first, {})
    if ":::lambda:invoke" not in str(plan.get("Resource")):
        yield first, "does not check the input"
    handed_on = json.dumps([plan.get("Output"), plan.get("Assign")])
    if "$states.input" in handed_on or "Execution.Input" in handed_on:
        yield first, "hands the unchecked input on"
    for name, state in machine.states().items():
        if name != first and "Execution.Input" in json.dumps(state):
            yield name, "reads the execution's input"


@_rule(
    "kms-everywhere",
    why="One key for the data is no protection where one copy is left without it",
    source=_CONTROLS,
)
def _kms_everywhere(machine: Machine) -> Found:
    places = {
        (name, ".".join(path)): _at(task["Arguments"], path)
        for name, task in machine.calls(*_KMS).items()
        for path in _KMS[action(task)]
    }
    given = {key for key in places.values() if key}
    if not given:
        return
    for (name, path), key in places.items():
        if not key or len(given) > 1:
            yield name, f"{path} is not the key that the others use"


@_rule(
    "vpc-everywhere",
    why="A model outside the network that its training is bound to leaves by the other door",
    source=_CONTROLS,
)
def _vpc_everywhere(machine: Machine) -> Found:
    bound = {
        name: json.dumps(
            (task["Arguments"].get("NetworkConfig") or task["Arguments"]).get("VpcConfig"),
            sort_keys=True,
        )
        for name, task in machine.calls(
            "createProcessingJob", "createTrainingJob", "createModel"
        ).items()
    }
    if len(set(bound.values())) > 1:
        for name, config in bound.items():
            if config == "null":
                yield name, "is not in the VPC that the others are in"


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = (value or {}).get(key)
    return value
