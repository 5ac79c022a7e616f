"""Refusals: told apart by name, and the same on every machine."""

import pickle

import pytest

from data_prep.errors import DataError, listed, shown
from tests.data_prep.support import MODULES, errors


@pytest.mark.parametrize("name", sorted(vars(errors)))
def test_a_refusal_survives_the_way_from_one_machine_to_another(name: str) -> None:
    """With its class, its message and all that it tells by itself."""
    sent = getattr(errors, name)("wrong", remedy="Correct it.", line=7, column="x")
    found = pickle.loads(pickle.dumps(sent))  # noqa: S301 (made a line above)
    assert type(found) is type(sent)
    assert str(found) == "line 7, column 'x': wrong. Correct it."
    assert (found.problem, found.remedy) == ("wrong", "Correct it.")
    assert (found.line, found.column) == (7, "x")


def test_a_refusal_has_one_name_and_stands_in_one_place() -> None:
    """Its class is defined in one module, and no other class has its name."""
    names = [error.__name__ for error in DataError.__subclasses__()]
    assert len(set(names)) == len(names)
    assert {error.__module__ for error in DataError.__subclasses__()} <= set(MODULES)


def test_values_from_a_file_are_cut() -> None:
    """A message has a limit, whatever the file holds."""
    assert shown("a" * 100, limit=3) == "'aaa...'"
    assert listed(("a", "b", "c"), limit=2) == "'a', 'b' and 1 more"
    assert listed(["a", "b"]) == "'a', 'b'"
