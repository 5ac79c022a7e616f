"""Requests against botocore's service model, refused in the words of the service.

Botocore checks required members, types and lower bounds in the client; the service checks
patterns, upper bounds and enumerations too. Everything the model states is checked here, so that
a client in any language, or none, is refused alike.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

from localcloud.sagemaker.errors import ApiError, invalid

# The service's patterns are Java's; what each class is in Python, between brackets.
_JAVA_CLASSES = {
    # Java's strings are UTF-16: this is all beyond the first 65,536 characters.
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010ffff",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{ASCII}": r"\x00-\x7f",
    r"\p{Print}": r"\x20-\x7e",
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    # Marks, punctuation and symbols: all of ASCII's, and generously what lies beyond.
    r"\p{M}": r"\u0300-\u036f",
    r"\p{P}": r"!-/:-@\[-`{-~\u00a1-\U0010ffff",
    r"\p{S}": r"!-/:-@\[-`{-~\u00a1-\U0010ffff",
}
_PARTS = re.compile(r"\[(?:\\.|[^\]\\])*\]|\\p\{\w+\}")
_JSON_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "string": (str, "String"),
    "boolean": (bool, "Boolean"),
    "integer": (int, "Integer"),
    "long": (int, "Long"),
    "float": ((int, float), "Float"),
    "double": ((int, float), "Double"),
    "timestamp": ((int, float), "Timestamp"),
    "structure": (dict, "Structure"),
    "map": (dict, "Map"),
    "list": (list, "List"),
}


def check(operation: OperationModel, request: Any) -> dict[str, Any]:
    """Checks a decoded request of `operation` and returns it.

    Raises:
        ApiError: `SerializationException` for a wrong JSON type, `ValidationException` listing
            every violated constraint, or naming members the service model does not have.
    """
    shape = operation.input_shape
    if shape is None:
        return {}
    _check_type(shape, request, "")
    unknown = list(_unknown_members(shape, request, ""))
    if unknown:
        raise invalid(
            f"{operation.name} has no parameter {', '.join(unknown)} in the service model of the "
            "installed botocore. Check the spelling, or update botocore."
        )
    problems = list(_violations(shape, request, ""))
    if problems:
        plural = "error" if len(problems) == 1 else "errors"
        raise invalid(f"{len(problems)} validation {plural} detected: {'; '.join(problems)}")
    checked: dict[str, Any] = request
    return checked


def render(shape: Shape | None, value: Any) -> Any:
    """Keeps of `value` what `shape` models, with timestamps as seconds since the epoch."""
    if isinstance(shape, StructureShape):
        return {
            name: render(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [render(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: render(shape.value, item) for key, item in value.items()}
    return value.timestamp() if isinstance(value, datetime) else value


def _check_type(shape: Shape, value: Any, path: str) -> None:
    expected, word = _JSON_TYPES.get(shape.type_name, (object, shape.type_name))
    wrong = not isinstance(value, expected)
    # JSON's true is an int to Python.
    wrong = wrong or (isinstance(value, bool) and shape.type_name != "boolean")
    if wrong:
        raise ApiError(
            "SerializationException",
            f"{path or 'The request'}: {type(value).__name__} can not be converted to a {word}",
        )
    for member, item, place in _children(shape, value, path):
        _check_type(member, item, place)


def _children(shape: Shape, value: Any, path: str) -> Iterator[tuple[Shape, Any, str]]:
    """The modelled parts of a value, with the path the service would print for each."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            # JSON null means absent.
            if value.get(name) is not None:
                yield member, value[name], _join(path, name[0].lower() + name[1:])
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value, 1):
            yield shape.member, item, f"{path}.{number}.member"
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield shape.key, key, f"{path}.key"
            yield shape.value, item, _join(path, f"{key}.member")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _unknown_members(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name in value:
            if name not in shape.members:
                yield _join(path, name)
    for member, item, place in _children(shape, value, path):
        yield from _unknown_members(member, item, place)


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if value.get(name) is None:
                place = _join(path, name[0].lower() + name[1:])
                yield (
                    f"Value null at '{place}' failed to satisfy constraint: Member must not be null"
                )
    else:
        for constraint in _own_violations(shape, value):
            shown = "" if shape.type_name in ("map", "list") else f" '{value}'"
            yield f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}"
    for member, item, place in _children(shape, value, path):
        yield from _violations(member, item, place)


def _own_violations(shape: Shape, value: Any) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    numeric = shape.type_name in ("integer", "long", "float", "double")
    measure = "value" if numeric else "length"
    size = value if numeric else len(value) if hasattr(value, "__len__") else None
    if size is not None and most is not None and size > most:
        yield f"Member must have {measure} less than or equal to {most}"
    if size is not None and least is not None and size < least:
        yield f"Member must have {measure} greater than or equal to {least}"
    if not isinstance(shape, StringShape):
        return
    if shape.enum and value not in shape.enum:
        yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {pattern}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Patterns are matched as a whole, so anchors say nothing; Python has no \z before 3.14, and
    # some patterns of the model repeat their end, `${1,128}`.
    unanchored = re.sub(r"\\[Az]|\$\{1,\d+\}", "", pattern)
    return re.compile(_PARTS.sub(_translated, unanchored), re.DOTALL)


def _translated(part: re.Match[str]) -> str:
    """A part of a Java pattern in Python: a whole `[...]`, or a class that stands alone."""
    text = part[0]
    alone = not text.startswith("[")
    for java, python in _JAVA_CLASSES.items():
        text = text.replace(java, f"[{python}]" if alone else python)
    return text
