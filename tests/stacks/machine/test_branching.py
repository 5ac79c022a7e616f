"""Branches side by side, each of which may be off."""

from typing import Any


def test_what_is_off_does_nothing(definition: dict[str, Any]) -> None:
    """Each branch's first choice leads straight to its end unless the branch is wanted."""
    for branch in definition["States"]["Serve and score"]["Branches"]:
        first = branch["States"][branch["StartAt"]]
        idle = branch["States"][first["Default"]]
        assert (first["Type"], idle["Type"], idle["End"]) == ("Choice", "Pass", True)
