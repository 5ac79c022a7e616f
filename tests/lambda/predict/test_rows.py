"""Rows of the test split, and what an endpoint makes of each."""

import copy
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from spine.shipped import load
from tests.dropping import DROPS, SECRET, stopping
from tests.predict_endpoint import EVENT, PROFILE, FakeRuntime, handler, run
from tests.support import FakeS3, client_error, use_clients

rows = load("predict.rows")


def test_only_the_first_ten_rows_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample is asked for, not a bill; a large split is not read to its end."""
    content = "".join(f"{n % 2},{n},{n}\n" for n in range(200_000))
    result, runtime = run(monkeypatch, content)
    assert result["rows_sent"] == 10
    assert runtime.bodies[-1] == "9,9"


def test_a_last_row_without_line_end_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files from elsewhere may end without a line break, or use two characters for it."""
    result, _ = run(monkeypatch, "1,1,2\r\n0,3,4")
    assert result["rows_sent"] == 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("1,5", "has 1 features after the label; the prepared data has 2"),
        ("1,5,6,7", "has 3 features"),
        ("1", "has 0 features"),
        ("", "has 0 features"),
        ("5.1,2,3", "does not start with its label"),
        ("Abnormal,2,3", "does not start with its label"),
    ],
)
def test_a_row_of_another_shape_is_never_sent(
    monkeypatch: pytest.MonkeyPatch, line: str, says: str
) -> None:
    """The container would score a short row silently, so the whole split is checked first."""
    runtime = FakeRuntime(lambda _: "0.5")
    s3 = FakeS3()
    s3.put_object(Bucket="b", Key="runs/r/test/test.csv", Body=f"1,1,2\n{line}\n0,3,4\n")
    s3.put_object(Bucket="b", Key="runs/r/data_profile.json", Body=PROFILE)
    use_clients(monkeypatch, s3=s3, sagemaker_runtime=runtime)
    with pytest.raises(rows.TestSplitError, match=r"^Row 2 of s3://b/runs/r/test/test.csv") as e:
        handler(EVENT, None)
    assert says in str(e.value)
    assert runtime.bodies == []


def test_an_empty_split_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rows means nothing was predicted, which must not look like success."""
    with pytest.raises(rows.TestSplitError, match="has no rows"):
        run(monkeypatch, "")


@pytest.mark.parametrize(
    "answer",
    ["", "nan", "inf", "1.2", "-0.1", "0.5,0.6", "0.5\n0.6", "[0.5]", "0_1", "\u0660", "<html>"],
)
def test_anything_but_one_probability_is_an_error(
    monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """The message names the endpoint and the row, and shows no data row."""
    with pytest.raises(
        rows.EndpointAnswerError, match=r"Endpoint spine-dev-r answered row 1 "
    ) as e:
        run(monkeypatch, "1,424242,2\n", lambda _: answer)
    assert "424242" not in str(e.value)


@pytest.mark.parametrize(
    ("objective", "classes", "label", "answer", "expected"),
    [
        (
            "multi:softprob",
            3,
            "2",
            "0.2,0.3,0.5\n",
            {"label": 2, "class": 2, "probabilities": [0.2, 0.3, 0.5]},
        ),
        (
            "multi:softprob",
            2,
            "0",
            "[0.75, 0.25]",
            {"label": 0, "class": 0, "probabilities": [0.75, 0.25]},
        ),
        ("multi:softmax", 3, "1", "2.0\n", {"label": 1, "class": 2}),
        ("reg:squarederror", 0, "-3.5", "1e-05\n", {"label": -3.5, "prediction": 0.00001}),
        ("count:poisson", 0, "7", "6.25", {"label": 7.0, "prediction": 6.25}),
        ("binary:logitraw", 2, "1", "0.0", {"label": 1, "probability": 0.5, "class": 0}),
    ],
)
def test_what_a_row_is_told_follows_the_objective(
    monkeypatch: pytest.MonkeyPatch,
    objective: str,
    classes: int,
    label: str,
    answer: str,
    expected: dict[str, Any],
) -> None:
    """Several classes have a probability each, or none; a number is a prediction."""
    given: Any = copy.deepcopy(EVENT)
    given["plan"]["training"]["hyperparameters"]["objective"] = objective
    given["classes"] = {str(number): "name" for number in range(classes)}
    result, _ = run(monkeypatch, f"{label},1,2\n", lambda _: answer, given)
    assert result["predictions"] == [{"row": 1, **expected}]


def test_a_row_the_model_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The container's own words are kept."""

    def refuse(body: str) -> str:
        if body == "3,4":
            raise client_error("ModelError", "Received client error (400)", "InvokeEndpoint", 424)
        return "0.5"

    with pytest.raises(
        rows.EndpointAnswerError, match=r"Endpoint spine-dev-r refused row 2 .*client error \(400\)"
    ):
        run(monkeypatch, "1,1,2\n0,3,4\n", refuse)


def test_throttling_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state machine retries SageMaker's own errors by their class."""

    def throttle(_: str) -> str:
        raise client_error("ThrottlingException", "Rate exceeded", "InvokeEndpoint", 429)

    with pytest.raises(ClientError, match="Rate exceeded"):
        run(monkeypatch, "1,1,2\n", throttle)


class Dropping(FakeRuntime):
    """Its first answers stop in the middle of their bodies.

    Attributes:
        error: What a body raises then.
        drops: How many answers do.
    """

    error: Exception
    drops: int

    def invoke_endpoint(self, **request: str) -> dict[str, Any]:
        """Answer with a body that stops."""
        answer = super().invoke_endpoint(**request)
        if len(self.bodies) <= self.drops:
            answer["Body"] = stopping(answer["Body"].read(), 2, self.error)
        return answer


def dropping(monkeypatch: pytest.MonkeyPatch, error: Exception, drops: int) -> Dropping:
    """An endpoint with one row to predict, so many of whose answers stop."""
    runtime = Dropping(lambda _: "0.75\n")
    runtime.error, runtime.drops = error, drops
    s3 = FakeS3()
    s3.put_object(Bucket="b", Key="runs/r/test/test.csv", Body="1,1,2\n")
    s3.put_object(Bucket="b", Key="runs/r/data_profile.json", Body=PROFILE)
    use_clients(monkeypatch, s3=s3, sagemaker_runtime=runtime)
    return runtime


@pytest.mark.parametrize("error", DROPS, ids=lambda error: type(error).__name__)
def test_a_row_is_sent_again_where_its_answer_was_lost(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whatever the libraries raise for it; what came of the answer is no answer."""
    runtime = dropping(monkeypatch, error, drops=3)
    (told,) = handler(EVENT, None)["predictions"]
    assert told["probability"] == 0.75
    assert runtime.bodies == ["1,2"] * 4


@pytest.mark.parametrize("error", DROPS, ids=lambda error: type(error).__name__)
def test_an_answer_that_never_comes_whole_has_a_name_for_it(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """After four tries; the message has nothing in the library's words."""
    runtime = dropping(monkeypatch, error, drops=9)
    with pytest.raises(
        rows.EndpointUnreachableError, match=r"Endpoint spine-dev-r .* row 1 .*Run again"
    ) as e:
        handler(EVENT, None)
    assert SECRET not in str(e.value)
    assert runtime.bodies == ["1,2"] * 4


@pytest.mark.parametrize(
    "error", [EndpointConnectionError(endpoint_url=SECRET), ReadTimeoutError(endpoint_url=SECRET)]
)
def test_an_endpoint_that_does_not_answer_has_the_same_name(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """At once: boto3 has asked again already."""
    asked = []

    def silent(body: str) -> str:
        asked.append(body)
        raise error

    with pytest.raises(rows.EndpointUnreachableError, match=r"Endpoint spine-dev-r .* row 1 ") as e:
        run(monkeypatch, "1,1,2\n", silent)
    assert SECRET not in str(e.value)
    assert asked == ["1,2"]
