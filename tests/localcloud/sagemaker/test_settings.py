"""Settings as they are given on the command line."""

import pytest

from localcloud.sagemaker.settings import parse_delay


@pytest.mark.parametrize("text", ["training", "training=-1", "training=inf", "lunch=1"])
def test_delays_are_checked(text: str) -> None:
    """A delay has one of the known names and seconds from 0."""
    with pytest.raises(ValueError):  # noqa: PT011 (float's own message for one of them)
        parse_delay(text)


def test_delays_are_seconds() -> None:
    """A delay is read as its name and seconds."""
    assert parse_delay("endpoint-create=1.5") == ("endpoint-create", 1.5)
