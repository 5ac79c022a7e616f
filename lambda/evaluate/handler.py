"""Evaluate: join the batch output with the labels, measure, hold to the minimum, report."""

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Any, NamedTuple, cast

from botocore.exceptions import ClientError

from ..common import answers, log, profile, s3
from . import measure, measure_classes, measure_numbers, report, report_classes, report_numbers
from .join import BatchOutputError, Classified, Estimated, Scored, join, predictions_csv

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
    """
    plan = event["plan"]
    threshold = plan["evaluation"]["threshold"]
    places = plan["places"]
    classes = event["prepared"]["classes"]
    test = s3.parse_uri(places["test"])
    features = profile.feature_count(
        s3.Location(test.bucket, plan["prefix"]), prepared=event["prepared"]["feature_count"]
    )
    rows = join(
        map(bytes.decode, s3.lines(test.join("test.csv"))),
        _batch_output(s3.parse_uri(places["batch_out"]).join(_OUTPUT), event["transform_job"]),
        answers.form(plan["training"]["hyperparameters"]["objective"], len(classes)),
        features=features,
    )
    measured = _measure(event, rows)
    folder = s3.parse_uri(places["evaluation"])
    said = {**measured.metrics, "undefined": measured.undefined, "gate": measured.gate}
    files = {
        "metrics": (
            folder.join("metrics.json"),
            [json.dumps(said, indent=2), "\n"],
            "application/json",
        ),
        "predictions": (
            folder.join("predictions.csv"),
            predictions_csv(rows, threshold),
            "text/csv; charset=utf-8",
        ),
        "report": (folder.join("report.html"), [measured.report], "text/html; charset=utf-8"),
    }
    for place, parts, content_type in files.values():
        # On the function's disk where there are many.
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
            file.writelines(part.encode() for part in parts)
            s3.write_file(place, cast("IO[bytes]", file), content_type=content_type)
    passed = measured.gate["passed"]
    log.event("run evaluated", run=plan["run"]["id"], rows=measured.metrics["rows"], gate=passed)
    return {
        "metrics": _short(measured.metrics),
        "gate": measured.gate,
        "artifacts": {name: place.uri for name, (place, _, _) in files.items()},
    }


class _Measured(NamedTuple):
    """What is said of the rows: the figures, why some are missing, the gate, and the page."""

    metrics: dict[str, Any]
    undefined: dict[str, str]
    gate: dict[str, Any]
    report: str


def _measure(event: dict[str, Any], rows: Scored | Classified | Estimated) -> _Measured:
    asked = event["plan"]["evaluation"]

    def gate(values: dict[str, Any], reasons: dict[str, str]) -> dict[str, Any]:
        return measure.gate(values, asked["minimum"], asked["maximum"], reasons)

    if isinstance(rows, Scored):
        values = measure.metrics(rows, asked["threshold"])
        reasons = measure.undefined(values)
        held = gate(values, reasons)
        return _Measured(values, reasons, held, report.render(event, rows, values, held))
    if isinstance(rows, Estimated):
        values = measure_numbers.metrics(rows)
        reasons = measure_numbers.undefined(values)
        held = gate(values, reasons)
        return _Measured(values, reasons, held, report_numbers.render(event, rows, values, held))
    classes = event["prepared"]["classes"]
    values = measure_classes.metrics(rows, [classes[str(at)] for at in range(len(classes))])
    reasons = measure_classes.undefined(rows, values)
    held = gate(values, reasons)
    return _Measured(values, reasons, held, report_classes.render(event, rows, values, held))


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
