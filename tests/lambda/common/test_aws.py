"""Clients of AWS."""

import pytest

from spine.shipped import load

aws = load("common.aws")


def test_a_client_is_built_once_with_standard_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warm function reuses the client it has."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    first = aws.client("s3")
    assert aws.client("s3") is first
    assert first.meta.config.retries == {"mode": "standard", "total_max_attempts": 5}
    # A service that is away is tried again within the time that a function has.
    assert first.meta.config.connect_timeout == 5
