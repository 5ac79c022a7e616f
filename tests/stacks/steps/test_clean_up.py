"""Whoever cleans up may find and end whatever the table of kinds has a row for."""

from typing import Any

import pytest

from stacks.steps.clean_up import cleaning
from tests.stacks.imaginary import CARD, JOB, Stack
from tests.support import load


def test_a_further_kind_is_found_and_ended_without_a_line_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A job is stopped, what is no job is deleted, and of both the owner is asked for by tag."""
    kinds = load("common.kinds")
    monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, JOB, CARD))
    stack: Any = Stack()
    allowed = {
        action: each.on for each in cleaning(stack) for action in each.actions if each.on != ["*"]
    }
    assert allowed["sagemaker:StopTuningJob"] == ["sagemaker:tuning-job/spine-dev-*"]
    assert allowed["sagemaker:DeleteCard"] == ["sagemaker:card/spine-dev-*"]
    (lists,) = (each.actions for each in cleaning(stack) if each.on == ["*"])
    assert {"sagemaker:ListTuningJobs", "sagemaker:ListCards"} <= set(lists)
    for each in cleaning(stack)[1:]:
        assert "sagemaker:ListTags" in each.actions
