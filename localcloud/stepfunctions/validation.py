"""What is wrong with a state machine's definition, before it is accepted.

moto's parser knows the grammar. Added here: every transition leads to a state, every state can be
reached, every JSONata expression parses and every aws-sdk operation exists. The codes are those of
`ValidateStateMachineDefinition`.
"""

import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any

from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from localcloud import hooks
from localcloud.stepfunctions import clients, express, jsonata

# What AWS has and moto's interpreter would fail at when it runs.
_NOT_RUN = {
    r"arn:[\w-]+:states:[\w-]*:\d*:activity:": "activities",
    r"arn:[\w-]+:states:::apigateway:": "API Gateway's integration",
    r"arn:[\w-]+:states:::http:": "HTTP tasks",
}
_SDK_RESOURCE = re.compile(r"^arn:[\w-]+:states:::aws-sdk:(\w+):(\w+)(?:\.waitForTaskToken)?$")


_PREPROCESSOR = "moto.stepfunctions.parser.asl.parse.preprocessor:Preprocessor"


@hooks.uses(f"{_PREPROCESSOR}._query_language_per_scope", reason="the stack of query languages")
@hooks.around(
    f"{_PREPROCESSOR}.__init__",
    reason="one list for all parsers: a definition that fails, or one parsed at the same "
    "time, changes the query language of another",
    parameters=("self", "args", "kwargs"),
)
def _with_own_scopes(begin: Any, self: Any) -> None:
    """Give each parser its own stack of query languages (moto: one of the class)."""
    begin(self)
    self._query_language_per_scope = []


@dataclasses.dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        code: For example `MISSING_TRANSITION_TARGET`.
        message: What is wrong, in a sentence.
        location: A JSON pointer into the definition.
    """

    code: str
    message: str
    location: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message} at {self.location}"


def problems(definition: str, kind: str = "STANDARD") -> list[Problem]:
    """Everything that keeps a definition from being accepted; empty when it is fine.

    Args:
        definition: In the Amazon States Language.
        kind: The type of machine it is for, `STANDARD` or `EXPRESS`.
    """
    try:
        machine = json.loads(definition)
    except ValueError as error:
        return [Problem("INVALID_JSON_DESCRIPTION", str(error), "/")]
    if not isinstance(machine, dict):
        return [Problem("INVALID_JSON_DESCRIPTION", "The definition is no JSON object", "/")]
    found = [*_transitions(machine, ""), *_expressions(machine, ""), *_resources(machine, "")]
    if kind == "EXPRESS":
        found += [
            Problem("SCHEMA_VALIDATION_FAILED", message, at)
            for message, at in express.unsupported(machine)
        ]
    return found or list(_grammar(definition))


@hooks.uses(
    "moto.stepfunctions.parser.asl.parse.asl_parser:AmazonStateLanguageParser.parse",
    reason="reads a definition",
    parameters=("definition",),
)
def _grammar(definition: str) -> Iterator[Problem]:
    try:
        AmazonStateLanguageParser.parse(definition)
    except Exception as error:  # noqa: BLE001 - the parser raises whatever it trips over
        yield Problem("SCHEMA_VALIDATION_FAILED", str(error), "/")


def _transitions(machine: dict[str, Any], at: str) -> Iterator[Problem]:
    """Check the transitions of a machine, a branch or a map's processor."""
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        yield Problem("SCHEMA_VALIDATION_FAILED", "States must hold at least one state", f"{at}/")
        return
    if machine.get("StartAt") not in states:
        yield Problem(
            "MISSING_TRANSITION_TARGET",
            f"Missing 'Next' target: {machine.get('StartAt')}",
            f"{at}/StartAt",
        )
        return
    for name, state in states.items():
        here = f"{at}/States/{name}"
        if not isinstance(state, dict):
            yield Problem("SCHEMA_VALIDATION_FAILED", "A state must be an object", here)
            continue
        for where, target in _targets(state):
            if target not in states:
                message = f"Missing 'Next' target: {target}"
                yield Problem("MISSING_TRANSITION_TARGET", message, here + where)
        yield from _ending(state, here)
        for where, inner in _inner(state):
            yield from _transitions(inner, here + where)
    yield from _reachability(machine, at)


def _targets(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where a state may lead, each with the field's place."""
    for field in ("Next", "Default"):
        if field in state:
            yield f"/{field}", state[field]
    for field in ("Choices", "Catch"):
        for index, rule in enumerate(state.get(field) or []):
            if isinstance(rule, dict) and "Next" in rule:
                yield f"/{field}[{index}]/Next", rule["Next"]


def _ending(state: dict[str, Any], at: str) -> Iterator[Problem]:
    kind = state.get("Type")
    if kind in {"Choice", "Succeed", "Fail"}:
        return
    if ("Next" in state) == bool(state.get("End")):
        message = "A state has either Next or End"
        yield Problem("SCHEMA_VALIDATION_FAILED", message, at)


def _inner(state: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, branch in enumerate(state.get("Branches") or []):
        yield f"/Branches[{index}]", branch
    for field in ("ItemProcessor", "Iterator"):
        if isinstance(state.get(field), dict):
            yield f"/{field}", state[field]


def _reachability(machine: dict[str, Any], at: str) -> Iterator[Problem]:
    states = machine["States"]
    reached: set[str] = set()
    waiting = [machine["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in states or not isinstance(states[name], dict):
            continue
        reached.add(name)
        waiting += [target for _, target in _targets(states[name])]
    for name in states.keys() - reached:
        message = f"State {name!r} is not reachable"
        yield Problem("UNREACHABLE_STATE", message, f"{at}/States/{name}")


def _resources(value: Any, at: str) -> Iterator[Problem]:
    """Check the aws-sdk integrations: the service and its operation exist."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _resources(item, f"{at}[{index}]")
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        yield from _resources(item, f"{at}/{key}")
    resource = value.get("Resource")
    if value.get("Type") == "Task" and isinstance(resource, str):
        for pattern, what in _NOT_RUN.items():
            if re.match(pattern, resource):
                message = f"The local cloud does not run {what}: {resource}"
                yield Problem("SCHEMA_VALIDATION_FAILED", message, f"{at}/Resource")
    matched = _SDK_RESOURCE.match(resource) if isinstance(resource, str) else None
    if value.get("Type") == "Task" and matched and not clients.offers(matched[1], matched[2]):
        message = f"The resource provided {resource} is not recognized"
        yield Problem("SCHEMA_VALIDATION_FAILED", message, f"{at}/Resource")


def _expressions(value: Any, at: str) -> Iterator[Problem]:
    """Check the JSONata expressions: every text of the form `{% ... %}`."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _expressions(item, f"{at}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _expressions(item, f"{at}[{index}]")
    elif isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        error = jsonata.syntax_error(value[2:-2].strip())
        if error:
            yield Problem("INVALID_JSONATA_EXPRESSION", error, at)
