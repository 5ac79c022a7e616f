"""The table of hooked places, and its check at start-up."""

import pytest

from localcloud.emulator import cloudformation, functions
from localcloud.hooks import Hook, HookError, check
from localcloud.stepfunctions import engine

ALL = (*functions.HOOKS, *cloudformation.HOOKS, *engine.HOOKS)


def test_every_hooked_place_is_there() -> None:
    """The installed libraries have every place that is hooked, and each has its reason."""
    check(ALL)
    assert all(hook.reason for hook in ALL)


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        (Hook(target="ministack.services.s3:_absent", reason="why a"), "_absent is gone"),
        (Hook(target="ministack.absent:x", reason="why b"), "ministack.absent:x is gone"),
        (
            Hook(
                target="ministack.services.cloudformation.provisioners:"
                "_RESOURCE_HANDLERS.AWS/None.create",
                reason="why c",
            ),
            "AWS/None.create is gone",
        ),
        (
            Hook(
                target="ministack.services.stepfunctions:_run_execution",
                reason="why d",
                parameters=("self", "other"),
            ),
            "takes ('exec_arn',) instead of ('self', 'other')",
        ),
        (
            Hook(
                target="ministack.core.lambda_runtime:_PYTHON_WORKER_SCRIPT",
                reason="why e",
                contains=("no such line",),
            ),
            "has 0 times instead of once: 'no such line'",
        ),
    ],
)
def test_a_changed_place_stops_the_start(hook: Hook, said: str) -> None:
    """A missing or changed place is named with its reason and the versions, among sound ones."""
    with pytest.raises(HookError) as refused:
        check((*ALL, hook))
    message = str(refused.value)
    assert said in message
    assert hook.reason in message
    assert "ministack 1.5.33 (expected 1.5.33)" in message


def test_versions_expected_and_found_are_said() -> None:
    """The message tells which version was found and which was expected, or that none is there."""
    hook = Hook(target="ministack.services.s3:_absent", reason="why")
    with pytest.raises(HookError) as refused:
        check([hook], {"moto": "9.9.9", "absent-library": "1.0"})
    assert "(expected 9.9.9)" in str(refused.value)
    assert "absent-library not installed (expected 1.0)" in str(refused.value)
