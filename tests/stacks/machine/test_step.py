"""A step of a pipeline: what others know of it, and what all steps together put out."""

from typing import Any

import pytest

from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.step import Step, merged
from stacks.machine.tasks import Tasks


class Counting(Step):
    """A step that counts its tries."""

    name = "Try"
    tries: str | None = "tries_made"

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """No states."""
        raise NotImplementedError


class Plain(Counting):
    """A step that does not."""

    tries = None


def test_a_counter_begins_anew_whenever_its_step_does() -> None:
    """A redriven step has all of its tries again; a step without a counter has nothing to set."""
    assert Counting().counters == {"tries_made": 0}
    assert Plain().counters == {}


def test_a_step_has_states() -> None:
    """What has none cannot be made."""
    with pytest.raises(TypeError, match="fragment"):
        Step()  # type: ignore[abstract]


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([], {}),
        ([{"a": 1}, {"b": 2}], {"a": 1, "b": 2}),
        ([{"run": {"id": 1}}, {"run": {"job": 2}}], {"run": {"id": 1, "job": 2}}),
        (
            [{"a": {"b": {"c": 1}}}, {"a": {"b": {"d": 2}, "e": 3}}],
            {"a": {"b": {"c": 1, "d": 2}, "e": 3}},
        ),
        ([{"a": 1}, {"a": 2}], {"a": 2}),
        ([{"a": {"b": 1}}, {"a": None}], {"a": None}),
    ],
)
def test_outputs_of_the_same_name_become_one_object(
    outputs: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    """At any depth; what is no object is replaced by the later step."""
    before = [dict(each) for each in outputs]
    assert merged(outputs) == expected
    assert outputs == before
