"""The conditions of a local cloud on their way to its processes."""

import pytest

from localcloud import Conditions

ALL = Conditions(
    enforce_iam=True,
    concurrent_functions=3,
    concurrent_jobs=2,
    quotas=("ml.m5.xlarge/training=1",),
    throttle=2.5,
    consistency_lag=0.5,
    delays=("training=1",),
    retry_delay=0.5,
    allowed_origins=("http://localhost:3000",),
)


@pytest.mark.parametrize("conditions", [Conditions(), ALL])
def test_what_is_written_is_read_again(conditions: Conditions) -> None:
    """Conditions pass through the gateway's command line unchanged."""
    assert Conditions.read(conditions.text()) == conditions


def test_defaults_are_no_arguments() -> None:
    """A cloud as it comes gives SageMaker no argument and shows nothing."""
    assert Conditions().sagemaker() == []
    assert Conditions().shown() == ()


def test_every_condition_is_shown_as_its_option() -> None:
    """What is shown can be given to `spine up` again."""
    assert ALL.shown() == (
        "--enforce-iam",
        "--concurrent-functions=3",
        "--quota=ml.m5.xlarge/training=1",
        "--delay=training=1",
        "--throttle=2.5",
        "--consistency-lag=0.5",
        "--concurrent-jobs=2",
        "--retry-delay=0.5",
        "--allow-origin=http://localhost:3000",
    )
