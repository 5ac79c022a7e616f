"""Evaluate: join the batch output with the labels, measure, hold to the minimum, report."""

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Any, cast

from botocore.exceptions import ClientError

from .. import algorithms
from ..common import log, plans, profile, s3
from . import predictions
from .gate import hold
from .join import BatchOutputError, join
from .tasks import EVALUATIONS

# Named after the file that was transformed, which the preparation calls batch-in.csv.
_OUTPUT = "batch-in.csv.out"
_IN_MEMORY = 8 << 20
# The output of an execution holds a matrix of so many classes; metrics.json has any.
_MOST_CLASSES = 25


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's)
    """Return `{"metrics", "gate", "artifacts"}`; write metrics.json, predictions.csv, report.html.

    The event is `{"plan", "prepared", "training": {"job_name", "image", "metrics", "seconds"},
    "model_data", "transform_job"}`.

    Raises:
        DataProfileError: The run's data profile is missing, or not that of the prepared data.
        BatchOutputError: The output is missing or does not fit the test rows.
        PlanVersionError: The run is of a deployment whose plans are written otherwise.
    """
    plan = event["plan"]
    plans.check(plan)
    asked = plan["evaluation"]
    places = plan["places"]
    algorithm = algorithms.of_plan(plan)
    objective = algorithm.objective_name(plan["training"]["hyperparameters"])
    form = algorithm.answer(objective, len(event["prepared"]["classes"]))
    test = s3.parse_uri(places["test"])
    features = profile.feature_count(
        s3.Location(test.bucket, plan["prefix"]), prepared=event["prepared"]["feature_count"]
    )
    evaluation = EVALUATIONS[algorithm.objectives[objective].task](
        event,
        join(
            map(bytes.decode, s3.lines(test.join("test.csv"))),
            _batch_output(s3.parse_uri(places["batch_out"]).join(_OUTPUT), event["transform_job"]),
            form,
            features=features,
        ),
    )
    metrics = evaluation.metrics()
    undefined = evaluation.undefined(metrics)
    gate = hold(metrics, asked["minimum"], asked["maximum"], undefined)
    folder = s3.parse_uri(places["evaluation"])
    said = {**metrics, "undefined": undefined, "gate": gate}
    files = {
        "metrics": (
            folder.join("metrics.json"),
            [json.dumps(said, indent=2), "\n"],
            "application/json",
        ),
        "predictions": (
            folder.join("predictions.csv"),
            predictions.lines(evaluation.columns()),
            "text/csv; charset=utf-8",
        ),
        "report": (
            folder.join("report.html"),
            [evaluation.report(metrics, undefined, gate)],
            "text/html; charset=utf-8",
        ),
    }
    for place, parts, content_type in files.values():
        # On the function's disk where there are many.
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
            file.writelines(part.encode() for part in parts)
            s3.write_file(place, cast("IO[bytes]", file), content_type=content_type)
    log.event("run evaluated", run=plan["run"]["id"], rows=metrics["rows"], gate=gate["passed"])
    return {
        "metrics": _short(metrics),
        "gate": gate,
        "artifacts": {name: place.uri for name, (place, _, _) in files.items()},
    }


def _short(metrics: dict[str, Any]) -> dict[str, Any]:
    """Leave out what would not fit the payload of a state for hundreds of classes."""
    if len(metrics.get("per_class", ())) <= _MOST_CLASSES:
        return metrics
    return {
        name: value
        for name, value in metrics.items()
        if name not in ("confusion_matrix", "per_class")
    }


def _batch_output(place: s3.Location, job: str) -> Iterator[str]:
    try:
        return (line.decode(errors="replace") for line in s3.lines(place))
    except ClientError as error:
        # Without permission to list the bucket, S3 says "access denied" of what is not there.
        if error.response["Error"]["Code"] not in ("NoSuchKey", "AccessDenied"):
            raise
        raise BatchOutputError(
            f"Transform job {job} left nothing to read at {place.uri} ({error})."
            " Look at the job's log."
        ) from error
