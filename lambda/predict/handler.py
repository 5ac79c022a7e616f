"""Predict with the endpoint: send the first rows of the test split, one at a time."""

from typing import Any

from .. import algorithms
from ..common import aws, log, plans, profile, s3
from . import rows

_ROWS = 10


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's)
    """Return `{"predictions": [...], "rows_sent"}`; see `rows.predict` for what is of each row.

    The event is `{"plan", "endpoint_name", "feature_count", "classes"}`. Rows count from 1; of two
    classes the class is 1 when the probability is above the plan's threshold. Rows must be as wide
    as the run's data profile says.

    Raises:
        DataProfileError: The profile is missing, or not that of the data which was prepared.
        TestSplitError: A row of the test split is not a label and so many features.
        EndpointAnswerError: The endpoint refused a row or answered with something else than the
            plan's objective predicts.
        EndpointUnreachableError: No answer came whole, try after try.
        PlanVersionError: The run is of a deployment whose plans are written otherwise.
    """
    plan = event["plan"]
    plans.check(plan)
    endpoint = event["endpoint_name"]
    folder = s3.parse_uri(plan["places"]["test"])
    features = profile.feature_count(
        s3.Location(folder.bucket, plan["prefix"]), prepared=event["feature_count"]
    )
    place = folder.join("test.csv")
    client = aws.client("sagemaker-runtime")
    algorithm = algorithms.of_plan(plan)
    objective = algorithm.objective_name(plan["training"]["hyperparameters"])
    form = algorithm.answer(objective, len(event["classes"]))
    predictions = [
        rows.predict(
            client,
            endpoint,
            row,
            form=form,
            content_type=algorithm.content_type,
            threshold=plan["evaluation"]["threshold"],
        )
        for row in rows.read_first(place, count=_ROWS, features=features, form=form)
    ]
    log.event("rows predicted", run=plan["run"]["id"], endpoint=endpoint, rows=len(predictions))
    return {"predictions": predictions, "rows_sent": len(predictions)}
