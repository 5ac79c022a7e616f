"""Hundreds of kills, at moments spread over what is killed, of every kind of work.

    .venv/bin/python -m pytest -s tests/localcloud/sagemaker/exhaustive_kills.py

Some ten minutes; test_kills.py makes a few of each kind. Prints what was said, and how often.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.localcloud.sagemaker import kills
from tests.localcloud.sagemaker.cloud import Cloud, start, stop

_KILLS_OF_A_KIND = 30
_LATEST_SECONDS = 1.2


@pytest.mark.parametrize("kind", kills.KINDS, ids=lambda kind: kind.__name__)
def test_every_kill_is_a_described_failure(
    s3_url: str, cloud: Cloud, tmp_path: Path, kind: Any
) -> None:
    """Each ends Failed with a reason, or in service again, and leaves no process."""
    running = start(s3_url, tmp_path, "--stop-grace=0.5")
    try:
        kills.prepare(running)
        outcomes = Counter[tuple[str, str]]()
        for number in range(_KILLS_OF_A_KIND):
            after = _LATEST_SECONDS * number / _KILLS_OF_A_KIND
            outcome = kills.kill(running, kind, f"{kind.__name__}-{number}", after=after)
            assert not outcome.left, (after, outcome)
            unhurt = outcome.status == "InService" and kind is kills.update
            assert unhurt or (outcome.status == "Failed" and outcome.reason), (after, outcome)
            # Without what differs from one to the next: names, places and times.
            said = re.sub(r"\S*/\S+|\d\d:\d\d:\d\d|[\d.]+", "*", outcome.reason)[:200]
            outcomes[outcome.status, said] += 1
    finally:
        stop(running)
    print(f"\n{kind.__name__}: {_KILLS_OF_A_KIND} kills")
    for (status, said), count in outcomes.most_common():
        print(f"  {count:4} {status}: {said}")
