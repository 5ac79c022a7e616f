"""What the service's model says of a request's members: lengths, ranges, patterns, enumerations.

AWS checks them before anything else, and says which member is wrong. botocore knows the model; a
client checks half of it.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.model import ListShape, OperationModel, Shape, StructureShape

from localcloud.stepfunctions.responses import error

# Refused by an error of their own, `InvalidName` (see `requests`).
_NAMED = {
    ("CreateStateMachine", "name"),
    ("CreateActivity", "name"),
    ("StartExecution", "name"),
    ("StartSyncExecution", "name"),
}


def refusal(action: str, request: dict[str, Any]) -> Any:
    """The answer to a request that breaks the model's constraints, or None."""
    operation = _operations().get(action)
    if operation is None or not isinstance(operation.input_shape, StructureShape):
        return None
    found = [
        problem
        for member, problem in _of_structure(operation.input_shape, request, "")
        if (action, member) not in _NAMED
    ]
    if not found:
        return None
    count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
    return error("ValidationException", f"{count}: {'; '.join(found)}")


@functools.cache
def _operations() -> dict[str, OperationModel]:
    model = botocore.session.get_session().get_service_model("stepfunctions")
    return {name: model.operation_model(name) for name in model.operation_names}


def _of_structure(
    shape: StructureShape, given: dict[str, Any], at: str
) -> Iterator[tuple[str, str]]:
    for member in shape.required_members:
        if given.get(member) is None:
            yield at + member, _problem(None, at + member, "Member must not be null")
    for member, value in given.items():
        if member in shape.members and value is not None:
            yield from _of(shape.members[member], value, at + member)


def _of(shape: Shape, value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        yield from _of_structure(shape, value, f"{at}.")
    elif isinstance(value, (str, list)):
        for broken in _length(shape, value):
            yield at, _problem(_shown(shape, value), at, broken)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        for broken in _range(shape, value, "value"):
            yield at, _problem(str(value), at, broken)
    if isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value, 1):
            yield from _of(shape.member, item, f"{at}.{index}.member")


def _length(shape: Shape, value: str | list[Any]) -> Iterator[str]:
    yield from _range(shape, len(value), "length")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and not re.search(pattern, value):
        yield f"Member must satisfy regular expression pattern: {pattern}"


def _range(shape: Shape, value: float, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield f"Member must have {what} greater than or equal to {least}"
    if most is not None and value > most:
        yield f"Member must have {what} less than or equal to {most}"


def _shown(shape: Shape, value: Any) -> str:
    return "" if shape.metadata.get("sensitive") else str(value)


def _problem(value: str | None, at: str, broken: str) -> str:
    shown = " null" if value is None else f" '{value}'" if value else ""
    return f"Value{shown} at '{at}' failed to satisfy constraint: {broken}"
