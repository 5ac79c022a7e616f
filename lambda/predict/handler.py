"""Predict with the endpoint: send the first rows of the test split, one at a time."""

from typing import Any

from ..common import aws, log, profile, s3
from . import rows

_ROWS = 10


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's)
    """Return `{"predictions": [{"row", "label", "probability", "class"}], "rows_sent"}`.

    The event is `{"plan", "endpoint_name", "feature_count"}`. Rows count from 1; the class is 1
    when the probability is above the plan's threshold. Rows must be as wide as the run's data
    profile says.

    Raises:
        DataProfileError: The profile is missing, or not that of the data which was prepared.
        TestSplitError: A row of the test split is not a label and so many features.
        EndpointAnswerError: The endpoint refused a row or answered with something else than one
            probability.
    """
    plan = event["plan"]
    endpoint = event["endpoint_name"]
    folder = s3.parse_uri(plan["places"]["test"])
    features = profile.feature_count(
        s3.Location(folder.bucket, plan["prefix"]), prepared=event["feature_count"]
    )
    client = aws.client("sagemaker-runtime")
    predictions = [
        rows.predict(client, endpoint, row, threshold=plan["evaluation"]["threshold"])
        for row in rows.read_first(folder.join("test.csv"), count=_ROWS, features=features)
    ]
    log.event("rows predicted", run=plan["run"]["id"], endpoint=endpoint, rows=len(predictions))
    return {"predictions": predictions, "rows_sent": len(predictions)}
