"""Rows of the test split, and what an endpoint makes of one."""

from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from ..algorithms.answers import Form
from ..common.errors import SpineError
from ..common.s3 import DROPPED, Location, Stream

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

# InvokeEndpoint accepts 6,291,456 bytes; ten such rows are the most that is read of a test split,
# which itself may have gigabytes.
_LONGEST_ROW = 6_291_456
_SHOWN = 60
# Of a row, whose answer is the same each time.
_TRIES = 4


class TestSplitError(SpineError):
    """The test split is not what the preparation writes."""

    __test__ = False  # pytest collects classes by this name


class EndpointAnswerError(SpineError):
    """The endpoint did not answer a row with what its objective predicts."""


class EndpointUnreachableError(SpineError):
    """The endpoint's answer did not come whole, try after try; trying again later may help."""


class Row(NamedTuple):
    """A row of the test split: its number from 1, its label, and its features as CSV text."""

    number: int
    label: float
    features: str


def read_first(place: Location, *, count: int, features: int, form: Form) -> list[Row]:
    """Return the first `count` rows, or all when there are fewer.

    The number of columns is checked here because the container scores a row that is too short
    without a word, and wrongly.

    Raises:
        TestSplitError: There is no row, or one is not a label and `features` features.
    """
    lines = _first_lines(place, count)
    if not lines:
        raise TestSplitError(f"{place.uri} has no rows. Give the test split a larger share.")
    return [
        _parse(line, number, features=features, place=place, form=form)
        for number, line in enumerate(lines, start=1)
    ]


def _first_lines(place: Location, count: int) -> list[str]:
    text = b""
    with closing(Stream(place).pieces(65_536)) as pieces:
        for piece in pieces:
            text += piece
            if text.count(b"\n") >= count or len(text) >= count * _LONGEST_ROW:
                break
    return text.decode("utf-8", errors="replace").splitlines()[:count]


def _parse(line: str, number: int, *, features: int, place: Location, form: Form) -> Row:
    text, _, rest = line.partition(",")
    found = rest.count(",") + 1 if rest or "," in line else 0
    if found != features:
        raise TestSplitError(
            f"Row {number} of {place.uri} has {found} features after the label; the prepared data"
            f" has {features}. Run again from a fresh source."
        )
    label = form.label(text)
    if label is None:
        known = "a number" if form.output == "value" else f"0 to {form.classes - 1}"
        raise TestSplitError(
            f"Row {number} of {place.uri} does not start with its label, {known}."
            " Run again from a fresh source."
        )
    # The container takes a blank request for none; only a missing value alone is one.
    return Row(number, label, rest or "nan")


def predict(
    client: "SageMakerRuntimeClient",
    endpoint: str,
    row: Row,
    *,
    form: Form,
    content_type: str,
    threshold: float | None,
) -> dict[str, Any]:
    """Send one row and return its number, its label and what the model makes of it.

    Of two classes the latter is the `probability` of class 1 and the `class` at the threshold; of
    several the `class` and, where the model tells them, the `probabilities` by class; otherwise the
    `prediction`.

    Raises:
        EndpointAnswerError: The model refused the row, or answered with something else than its
            objective predicts.
        EndpointUnreachableError: No answer came, or none whole.
        ClientError: SageMaker itself refused the call, for instance by throttling.
    """
    text = _answer(client, endpoint, row, form=form, content_type=content_type)
    values = form.read(form.split(text))
    if values is None:
        raise EndpointAnswerError(
            f"Endpoint {endpoint} answered row {row.number} of the test split with"
            f" {text[:_SHOWN]!r} instead of {form.expected}."
            " Check that the model was trained with the run's objective."
        )
    if form.output == "value":
        return {"row": row.number, "label": row.label, "prediction": values[0]}
    told = {"row": row.number, "label": int(row.label)}
    if form.output == "class":
        return {**told, "class": int(values[0])}
    if form.output == "probabilities":
        return {**told, "class": values.index(max(values)), "probabilities": list(values)}
    if threshold is None:
        raise ValueError("two classes are told apart at a threshold, and the plan has none")
    return {**told, "probability": values[0], "class": int(values[0] > threshold)}


def _answer(
    client: "SageMakerRuntimeClient", endpoint: str, row: Row, *, form: Form, content_type: str
) -> str:
    reason = ""
    for _ in range(_TRIES):
        try:
            answer = client.invoke_endpoint(
                EndpointName=endpoint,
                ContentType=content_type,
                Accept=form.accept,
                Body=row.features,
            )
        except ClientError as error:
            # The container's own answer; anything else is SageMaker's, which a retry may mend.
            if error.response["Error"]["Code"] != "ModelError":
                raise
            raise EndpointAnswerError(
                f"Endpoint {endpoint} refused row {row.number} of the test split: {error}"
            ) from error
        except DROPPED as error:
            # boto3 has asked again itself, as long as no answer had begun.
            raise _unreachable(endpoint, row, type(error).__name__) from error
        try:
            with closing(answer["Body"]) as body:
                return body.read().decode("utf-8", errors="replace").strip()
        except DROPPED as error:
            reason = type(error).__name__
    raise _unreachable(endpoint, row, reason)


def _unreachable(endpoint: str, row: Row, reason: str) -> EndpointUnreachableError:
    # Of the libraries' words some hold whole addresses.
    return EndpointUnreachableError(
        f"Endpoint {endpoint} gave no whole answer to row {row.number} of the test split"
        f" ({reason}). Run again."
    )
