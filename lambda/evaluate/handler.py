"""Evaluate: join the batch output with the labels, measure, hold to the minimum, report."""

import json
from typing import Any

from botocore.exceptions import ClientError

from ..common import log, profile, s3
from . import measure, report
from .join import BatchOutputError, join, predictions_csv

# Named after the file that was transformed, which the preparation calls batch-in.csv.
_OUTPUT = "batch-in.csv.out"


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
    test = s3.parse_uri(places["test"])
    features = profile.feature_count(
        s3.Location(test.bucket, plan["prefix"]), prepared=event["prepared"]["feature_count"]
    )
    scored = join(
        s3.read(test.join("test.csv")).decode(),
        _batch_output(s3.parse_uri(places["batch_out"]).join(_OUTPUT), event["transform_job"]),
        features=features,
    )
    metrics = measure.metrics(scored, threshold)
    gate = measure.gate(metrics, plan["evaluation"]["minimum"])
    folder = s3.parse_uri(places["evaluation"])
    files = {
        "metrics": (
            folder.join("metrics.json"),
            json.dumps({**metrics, "undefined": measure.undefined(metrics), "gate": gate}, indent=2)
            + "\n",
            "application/json",
        ),
        "predictions": (
            folder.join("predictions.csv"),
            predictions_csv(scored, threshold),
            "text/csv; charset=utf-8",
        ),
        "report": (
            folder.join("report.html"),
            report.render(event, scored, metrics, gate),
            "text/html; charset=utf-8",
        ),
    }
    for place, content, content_type in files.values():
        s3.write(place, content.encode(), content_type=content_type)
    log.event("run evaluated", run=plan["run"]["id"], rows=metrics["rows"], gate=gate["passed"])
    return {
        "metrics": metrics,
        "gate": gate,
        "artifacts": {name: place.uri for name, (place, _, _) in files.items()},
    }


def _batch_output(place: s3.Location, job: str) -> str:
    try:
        return s3.read(place).decode("utf-8", errors="replace")
    except ClientError as error:
        # Without permission to list the bucket, S3 says "access denied" of what is not there.
        if error.response["Error"]["Code"] not in ("NoSuchKey", "AccessDenied"):
            raise
        raise BatchOutputError(
            f"Transform job {job} left nothing to read at {place.uri} ({error})."
            " Look at the job's log."
        ) from error
