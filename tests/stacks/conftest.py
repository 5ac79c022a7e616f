"""The variants of the app that the tests of this folder look at."""

from collections.abc import Callable
from typing import Any

import pytest

from gates.assembly import Assembly
from gates.machine import Machine, machines
from tests.stacks.guarding import BOUNDARY, KEY, NETWORK


@pytest.fixture(scope="session")
def chosen(synth: Callable[..., Assembly]) -> Assembly:
    """Every setting that has a default and no fixture of its own, set to something else."""
    schedule = {
        "enabled": True,
        "expression": "cron(0 3 * * ? *)",
        "input": {"split": {"seed": 7}},
    }
    return synth(
        account="111122223333",
        region="eu-west-3",
        run_retention_days=7,
        run_timeout_hours=5,
        alarm_topic_arn="arn:aws:sns:eu-west-3:111122223333:on-call",
        stages={"dev": {"incoming": {"enabled": False}, "schedule": schedule}},
    )


@pytest.fixture(scope="session")
def machine(dev: Assembly) -> Machine:
    """The training pipeline's machine, in the development stage."""
    (found,) = machines(dev)
    return found


@pytest.fixture(scope="session")
def definition(machine: Machine) -> dict[str, Any]:
    """Its definition."""
    return machine.definition


@pytest.fixture(scope="session")
def guarded(synth: Callable[..., Assembly]) -> Assembly:
    """The development stage with all three."""
    return synth(permissions_boundary=BOUNDARY, encryption_key=KEY, network=NETWORK)
