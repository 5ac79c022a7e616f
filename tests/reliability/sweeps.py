"""Runs that are redriven while the sweep after their first attempt is at work."""

import itertools
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from localcloud.gateway import faults
from tests.e2e.conftest import Deployment, eventually
from tests.reliability.redrives import PLACES, left, stopping
from tests.reliability.single_faults import start

# What the sweep asks SageMaker for, in its order, that names the run.
_STEPS = ("ListEndpoints", "ListModels", "DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel")
# How much later than the redrive that comes into effect.
_DELAYS = (0.2, 1.0, 2.5)
_TAKEN = re.compile(r"already exist|must be unique|NameTaken")
# What is deleted between the sweep's look and the redrive may fail the run once for each of these.
_MOST_REDRIVES = 4


@dataclass(frozen=True)
class Swept:
    """How a run is swept.

    Attributes:
        state: Where it was stopped.
        step: The sweep's step during which it is redriven.
        delay: How much later than the redrive the step comes into effect, in seconds.
    """

    state: str
    step: str
    delay: float

    def __str__(self) -> str:
        return f"stopped in {self.state}, redriven {self.delay} s before {self.step}"


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        met: Whether the sweep took the step at all.
        causes: Of the failures since the redrive.
        ended: The last end, as DescribeExecution has it.
        left: What is left in SageMaker of the run, its model left out.
    """

    case: Swept
    met: bool
    causes: list[str]
    ended: dict[str, Any]
    left: list[str]

    def problems(self) -> list[str]:
        """What is wrong with it; nothing should be."""
        wrong = [cause for cause in self.causes if _TAKEN.search(cause)]
        if self.ended["status"] != "SUCCEEDED":
            wrong.append(f"ends {self.ended['status']}: {self.causes}")
        if self.left:
            wrong.append(f"leaves {self.left}")
        return [f"{self.case}: {each}" for each in wrong]


def cases() -> list[Swept]:
    """Every state from the one that makes what is swept, every step, several moments."""
    names = [
        name
        for name, place in PLACES.items()
        if place.after is None and not place.given.get("endpoint", {}).get("keep")
    ]
    names = names[names.index("Train the model") :]
    return [Swept(*each) for each in itertools.product(names, _STEPS, _DELAYS)]


def sweep_all(app: Deployment, wanted: Sequence[Swept], *, at_once: int = 6) -> list[Outcome]:
    """Stop each run, redrive it in the middle of its sweep, and let it come to its end."""
    tag = f"s{time.monotonic_ns() % 1_000_000}"
    found = []
    for first in range(0, len(wanted), at_once):
        some = wanted[first : first + at_once]
        names = [f"{tag}-{first + number}-x" for number in range(len(some))]
        held = [
            fault
            for case, name in zip(some, names, strict=True)
            for fault in (stopping(case.state, app, name), _delayed(case, name))
        ]
        faults.post(app.cloud, {"faults": held})
        try:
            with ThreadPoolExecutor(at_once) as pool:
                found += list(
                    pool.map(lambda each: _one(app, *each), zip(some, names, strict=True))
                )
        finally:
            faults.post(app.cloud, {})
    return found


def _delayed(case: Swept, name: str) -> dict[str, Any]:
    """Hold the step; the sweeper's client asks again when it gets no answer."""
    step = {"service": "sagemaker", "operation": case.step, "nth": 1, "containing": name}
    return step | {"fault": "hang", "seconds": case.delay}


def _one(app: Deployment, case: Swept, name: str) -> Outcome:
    client = app.cloud.client("stepfunctions")
    arn = start(app, name, **PLACES[case.state].given)

    def hit(operation: str) -> bool:
        every = faults.post(app.cloud, None)["faults"]
        mine = [each for each in every if name in each["containing"]]
        return any(each["hit"] > 0 for each in mine if each["operation"] == operation)

    place = PLACES[case.state]
    eventually(lambda: case.state in app.states(arn), f"{arn} in {case.state}", 300)
    eventually(lambda: hit(place.held or place.operation), f"the call of {case.state}", 300)
    client.stop_execution(executionArn=arn)
    app.ended(arn, 60)
    deadline = time.monotonic() + 15
    # Before a model is made, there is nothing that leads the sweep to the run.
    while not (met := hit(case.step)) and time.monotonic() < deadline:
        time.sleep(0.05)
    causes: list[str] = []
    for _ in range(_MOST_REDRIVES):
        client.redrive_execution(executionArn=arn)
        ended = app.ended(arn, 600)
        if ended["status"] == "SUCCEEDED":
            break
        causes.append(f"{ended.get('error')} {ended.get('cause')}")
    eventually(lambda: not left(app, arn), f"the clean-up of {case}", 120)
    return Outcome(case, met, causes, ended, left(app, arn))
