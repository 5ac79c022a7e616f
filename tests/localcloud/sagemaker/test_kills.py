"""Killing a process of any kind of work ends in a failure that is described, never in a hang."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.localcloud.sagemaker import kills
from tests.localcloud.sagemaker.cloud import Cloud, start, stop


@pytest.fixture(scope="module")
def victims(s3_url: str, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A process in which nothing runs but what is killed."""
    running = start(s3_url, tmp_path_factory.mktemp("kills"), "--stop-grace=0.5")
    kills.prepare(running)
    yield running
    stop(running)


@pytest.mark.parametrize("kind", kills.KINDS, ids=lambda kind: kind.__name__)
def test_a_kill_at_any_moment_is_a_described_failure(victims: Cloud, kind: Any) -> None:
    """Failed with a reason (an update may roll back); no process is left.

    tests/localcloud/sagemaker/exhaustive_kills.py kills hundreds.
    """
    name = kind.__name__
    after = random.Random().uniform(0.0, 0.8)  # noqa: S311 (no secret)
    outcome = kills.kill(victims, kind, name, after=after)
    assert not outcome.left
    if outcome.status == "InService":
        assert kind is kills.update
    else:
        assert outcome.status == "Failed", (after, outcome)
        assert outcome.reason, (after, outcome)
