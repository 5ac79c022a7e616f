"""Every call a run makes, made to go wrong in every way, one run for each."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from localcloud.gateway import faults
from tests.e2e.conftest import Deployment, eventually
from tests.support import SAMPLE

KINDS = ("fail", "throttle", "hang", "lost-answer")
# Shorter than any time-out; a longer silence has a test of its own in exhaustive_faults.py.
HANG_SECONDS = 2.0
# Repeats of the first two: how often a job is asked for its state depends on how fast it is.
POLLS = {"DescribeTrainingJob", "DescribeTransformJob", "DescribeEndpoint", "PutLogEvents"}
_FIRST = itertools.count()


@dataclass(frozen=True)
class Case:
    """One call of a run, by service, operation and place among its like, and what befalls it."""

    service: str
    operation: str
    nth: int
    kind: str

    def __str__(self) -> str:
        return f"{self.service}:{self.operation} #{self.nth} {self.kind}"


@dataclass(frozen=True)
class Outcome:
    """How a run with one fault ended.

    Attributes:
        hit: Whether the fault befell a call.
        left: Names of the run's that are left in SageMaker though they cost money, or that a run
            which did not succeed should have taken along.
    """

    case: Case
    hit: bool
    status: str
    error: str
    cause: str
    states: list[str]
    left: list[str]


def start(app: Deployment, name: str, **more: Any) -> str:
    """Start a run by this name on a file of the same name; return the execution's ARN."""
    uri = f"s3://{app.bucket}/uploads/{name}.arff"
    app.cloud.client("s3").upload_file(str(SAMPLE), app.bucket, f"uploads/{name}.arff")
    return app.start({"source": {"uri": uri}, **more}, name)


def calls(app: Deployment) -> Counter[tuple[str, str]]:
    """Run once undisturbed; count the calls that the pipeline made."""
    faults.post(app.cloud, {"record": True})
    name = f"calls-{next(_FIRST)}"
    described = app.ended(start(app, name), 120)
    assert described["status"] == "SUCCEEDED", described
    found = faults.post(app.cloud, None)["calls"]
    faults.post(app.cloud, {})
    return Counter((each["service"], each["operation"]) for each in found)


def cases(counted: Counter[tuple[str, str]], kinds: Sequence[str] = KINDS) -> Iterator[Case]:
    """Every call counted, with every kind of fault."""
    for (service, operation), count in sorted(counted.items()):
        for nth in range(1, (min(count, 2) if operation in POLLS else count) + 1):
            for kind in kinds:
                yield Case(service, operation, nth, kind)


def run_all(app: Deployment, wanted: Sequence[Case], *, at_once: int = 6) -> list[Outcome]:
    """Run the pipeline once for each case, several side by side, each with its own fault."""
    named = [(f"f{next(_FIRST)}-x", each) for each in wanted]
    faults.post(
        app.cloud,
        {
            "faults": [
                {
                    "service": case.service,
                    "operation": case.operation,
                    "nth": case.nth,
                    "fault": case.kind,
                    "seconds": HANG_SECONDS,
                    # Every call of a run carries its name, in a key or a resource's name.
                    "containing": name,
                }
                for name, case in named
            ]
        },
    )
    try:
        with ThreadPoolExecutor(at_once) as pool:
            ended = list(pool.map(lambda one: app.ended(start(app, one[0]), 300), named))
        hits = [each["hit"] > 0 for each in faults.post(app.cloud, None)["faults"]]
    finally:
        faults.post(app.cloud, {})
    # What the event of a bad ending sets off may still be at work.
    eventually(lambda: not _costing(app), "the sweeper", 60)
    models = app.models()
    return [
        Outcome(
            case,
            hit,
            described["status"],
            described.get("error") or "",
            described.get("cause") or "",
            app.states(described["executionArn"]),
            [each for each in models if f"-{name}-" in each and described["status"] != "SUCCEEDED"],
        )
        for (name, case), hit, described in zip(named, hits, ended, strict=True)
    ]


def _costing(app: Deployment) -> dict[str, list[str]]:
    left = app.left()
    if left:
        # By the clock this comes every 15 minutes.
        app.sweep()
    return app.left()


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes, counted by service, operation and kind of fault."""
    rows: dict[tuple[str, str, str], Counter[str]] = {}
    for each in outcomes:
        key = (each.case.service, each.case.operation, each.case.kind)
        named = each.status if each.status == "SUCCEEDED" else f"{each.status} {each.error}"
        rows.setdefault(key, Counter())[named if each.hit else "not reached"] += 1
    lines = [
        f"{service:18} {operation:24} {kind:12} {json.dumps(dict(found))}"
        for (service, operation, kind), found in sorted(rows.items())
    ]
    return "\n".join(lines)


def bad(outcome: Outcome) -> bool:
    """Tell whether a run left something, or ended without an error that says what was wrong."""
    said = outcome.status == "SUCCEEDED" or (
        outcome.status == "FAILED" and outcome.error != "" and outcome.cause != ""
    )
    return bool(outcome.left) or not said
