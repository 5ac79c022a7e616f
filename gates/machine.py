"""State machines as synthesized, and how to look at their states."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

from gates.assembly import ASSET, Assembly
from spine.shipped import load

kinds = load("common.kinds")

State = dict[str, Any]

_FLAG = re.compile(r"\{% \$(\w+) %\}")


@dataclass(frozen=True)
class Machine:
    """A state machine as synthesized.

    Attributes:
        name: Its logical id, as :meth:`Assembly.named` gives it.
        definition: With references resolved.
        properties: Of the CloudFormation resource (logging, tracing).
        literal: The parts of the definition's text that are the same wherever it is deployed.
    """

    name: str
    definition: dict[str, Any]
    properties: dict[str, Any]
    literal: str

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

    def calls(self, action_name: str) -> set[str]:
        """The tasks that call an action of SageMaker."""
        return {name for name, task in self.tasks().items() if action(task) == action_name}

    def creations(self) -> list[tuple[str, dict[str, Any], Any]]:
        """Every task that makes something the table knows: its name, its request, and the kind."""
        return [
            (name, task["Arguments"], kind)
            for name, task in self.tasks().items()
            if (kind := kinds.of_action(action(task))) is not None
        ]

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


def machines(assembly: Assembly) -> list[Machine]:
    """Every state machine of an app, of whatever stack."""
    return [
        _machine(assembly, room, logical_id)
        for room, template in assembly.templates.items()
        for logical_id, each in template["Resources"].items()
        if each["Type"] == "AWS::StepFunctions::StateMachine"
    ]


def _machine(assembly: Assembly, room: str, logical_id: str) -> Machine:
    given = assembly.templates[room]["Resources"][logical_id]["Properties"]
    text = given["DefinitionString"]
    parts = text["Fn::Join"][1] if isinstance(text, dict) else [text]
    # An asset's name is a hash, in which any digits may stand.
    literal = "\n".join(ASSET.sub("code.zip", part) for part in parts if isinstance(part, str))
    properties = assembly.resolve(room, given)
    return Machine(
        name=assembly.name(room, logical_id),
        definition=json.loads(properties["DefinitionString"]),
        properties=properties,
        literal=literal,
    )


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


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a JSON value with the dotted path to it."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from walk(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each, path)
    else:
        yield path, value


def keys(value: Any) -> Iterator[str]:
    """Every field's name, however deep."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from keys(each)
    elif isinstance(value, list):
        for each in value:
            yield from keys(each)


def is_expression(value: object) -> TypeGuard[str]:
    """Whether JSONata gives the value at run time."""
    return isinstance(value, str) and value.startswith("{%")


def reached(states: dict[str, State], start: list[str], *, past: set[str]) -> set[str]:
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


def values(value: Any, path: str) -> list[Any]:
    """What a request has at a dotted path, through lists; expressions as they stand.

    Where an expression gives more than the last member, its own member is asked for:
    `{% $plan.limits %}` at `StoppingCondition` has `{% $plan.limits.MaxRuntimeInSeconds %}`.
    """
    if isinstance(value, list):
        return [each for item in value for each in values(item, path)]
    if is_expression(value) and path:
        return [f"{value.removesuffix('%}').rstrip()}.{path} %}}"]
    if not path:
        return [value]
    first, _, rest = path.partition(".")
    if not isinstance(value, dict) or first not in value:
        return []
    return values(value[first], rest)
