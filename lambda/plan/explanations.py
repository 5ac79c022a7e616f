"""How pydantic's errors read in the words of the execution input. Pure."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from ..common.addresses import shown
from ..common.problems import Problem, closest, show
from .sections import SECTIONS, Section


def explain(section_name: str, section: type[Section], detail: ErrorDetails) -> Problem:
    """Turn one pydantic error into a problem in the words of the input."""
    context = detail.get("ctx", {})
    location = [str(part) for part in detail["loc"]]
    if detail["type"] == "spine":
        path = ".".join([section_name, *location, *context.get("field", "").split()])
        given = context.get("value") or show(detail["input"])
        return Problem(path, f"{given} is {context['fault']}", context["remedy"])
    if detail["type"] == "extra_forbidden":
        *parents, name = location
        owner = _descend(section, parents)
        return unknown(
            name,
            detail["input"],
            parents=[section_name, *parents],
            siblings=[field.alias or key for key, field in owner.model_fields.items()],
        )
    path = ".".join([section_name, *location])
    if detail["type"] == "model_type":
        return Problem(
            path,
            f"{show(detail['input'])} is {kind_of(detail['input'])}",
            "Give an object such as {}, or leave the field out for its defaults.",
        )
    name, field = _field(section, location)
    fault = (
        kind_of(detail["input"])
        if detail["type"].endswith("_type")
        else "empty"
        if detail["input"] == ""
        else "not within what the field takes"
    )
    value = detail["input"]
    if isinstance(value, str) and name == "uri":
        value = shown(value)
    return Problem(path, f"{show(value)} is {fault}", f"Give {field.description}.")


def _field(section: type[BaseModel], path: list[str]) -> tuple[str, FieldInfo]:
    """Return the field a location leads to; what follows it is a place in a list or an object."""
    owner = section
    for name in path:
        name_in_model, field = next(
            (key, field) for key, field in owner.model_fields.items() if name in (key, field.alias)
        )
        inner = owner.model_fields[name_in_model].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        owner = inner
    return name, field


def _descend(section: type[BaseModel], path: list[str]) -> type[BaseModel]:
    for name in path:
        inner = section.model_fields[name].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            section = inner
    return section


def unknown(
    name: str, value: object, *, siblings: Iterable[str], parents: Sequence[str] = ()
) -> Problem:
    """Say that there is no such field, and which one may be meant.

    Args:
        name: What was given as one.
        value: Its value.
        siblings: The fields that there are in its place.
        parents: The names of what it is in, from the section on.
    """
    path = ".".join([*parents, show(name)[1:-1]])
    hint = closest(name, siblings)
    if not hint:
        places = {
            field.alias or key: f"{section_name}.{field.alias or key}"
            for section_name, section in SECTIONS.items()
            for key, field in section.model_fields.items()
        }
        hint = closest(name, places)
        for field_name, place in places.items():
            hint = hint.replace(f'"{field_name}"', f'"{place}"')
    return Problem(
        path,
        f"{show(value)} is given to a field that does not exist",
        f"{hint}The fields here are {', '.join(siblings)}.",
    )


def kind_of(value: object) -> str:
    """Name a JSON value's type the way a person would."""
    if value is None:
        return "no value"
    if isinstance(value, bool):
        return "a truth value"
    for kind, noun in ((str, "text"), (dict, "an object"), (list, "a list")):
        if isinstance(value, kind):
            return noun
    return "a number"
