"""Runs that somebody stops at random moments."""

import contextlib
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.e2e.conftest import Deployment, eventually
from tests.reliability.single_faults import start

# A run with nothing beside it takes some three seconds, with several beside it longer.
_LATEST_SECONDS = 4.0


@dataclass(frozen=True)
class Aborts:
    """What came of it.

    Attributes:
        aborted: How many runs were stopped in time; the others had succeeded.
        states: In which state they were stopped.
        seconds: From the last stop until nothing was left.
        models: Models of stopped runs that are left.
    """

    aborted: int
    states: Counter[str]
    seconds: float
    models: list[str]


def abort_at_random(
    app: Deployment, runs: int, chance: random.Random, *, at_once: int = 5
) -> Aborts:
    """Start runs, several side by side, and stop each at a moment of its own."""
    client = app.cloud.client("stepfunctions")
    tag = f"a{time.monotonic_ns() % 1_000_000}"
    moments = [chance.uniform(0.0, _LATEST_SECONDS) for _ in range(runs)]

    def one(number: int) -> tuple[str, str]:
        arn = start(app, f"{tag}-{number}-x")
        time.sleep(moments[number])
        # One that has ended meanwhile refuses to be stopped.
        with contextlib.suppress(client.exceptions.ClientError):
            client.stop_execution(executionArn=arn)
        status: str = app.ended(arn, 120)["status"]
        return arn, status

    with ThreadPoolExecutor(at_once) as pool:
        ended = list(pool.map(one, range(runs)))
    stopped = [arn for arn, status in ended if status == "ABORTED"]
    names = [arn.rpartition(":")[2] for arn in stopped]

    def models() -> list[str]:
        return [model for model in app.models() if any(f"-{name}-" in model for name in names)]

    begun = time.monotonic()
    # A run stopped early has left no more than a model, and the sweeper may still be about it.
    eventually(lambda: not app.left() and not models(), "the sweeper", 90)
    seconds = time.monotonic() - begun
    return Aborts(
        len(stopped),
        Counter((app.states(arn) or ["(not begun)"])[-1] for arn in stopped),
        seconds,
        models(),
    )
