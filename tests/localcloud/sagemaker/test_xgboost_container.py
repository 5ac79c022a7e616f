"""The XGBoost container's own parts: hyperparameters, data, metrics."""

from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as reference

from localcloud.sagemaker.algorithms import find
from localcloud.sagemaker.containers.xgboost import data, hyperparameters, metrics
from localcloud.sagemaker.containers.xgboost.errors import UserError
from tests.localcloud.sagemaker.cloud import IMAGE

GOOD = {"num_round": "10"}


def test_values_are_converted() -> None:
    """Strings become numbers and lists, and aliases their canonical names."""
    assert hyperparameters.validate(
        {
            "num_round": "42",
            "learning_rate": "0.3",
            "reg_lambda": "1",
            "eval_metric": "auc,error@0.7",
            "objective": "binary:logistic",
            "tree_method": "hist",
            "monotone_constraints": "(1, 0, -1)",
            "interaction_constraints": "[[1, 2], [3, 4]]",
        }
    ) == {
        "num_round": 42,
        "eta": 0.3,
        "lambda": 1.0,
        "eval_metric": ["auc", "error@0.7"],
        "objective": "binary:logistic",
        "tree_method": "hist",
        "monotone_constraints": (1, 0, -1),
        "interaction_constraints": [[1, 2], [3, 4]],
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_round": "0"}, r"num_round: 0 is not in \[1, \+inf\)"),
        ({"num_round": "1.5"}, "num_round: could not parse value"),
        (GOOD | {"subsample": "0"}, r"subsample: 0.0 is not in \(0, 1\]"),
        (GOOD | {"booster": "forest"}, "booster: forest is not in"),
        (GOOD | {"nthreads": "1"}, "Extraneous hyperparameter found: nthreads"),
        (GOOD | {"eval_metric": "best"}, "eval_metric"),
        (GOOD | {"eval_metric": "auc@0.5"}, "Metric 'auc@0.5' is not supported"),
        (GOOD | {"eval_metric": "error@x"}, "expects float input"),
        (GOOD | {"objective": "multi:softmax"}, "Require input for parameter 'num_class'"),
        (GOOD | {"updater": "grow_colmaker,grow_histmaker"}, "Only one tree grow plugin"),
        (GOOD | {"booster": "gblinear", "updater": "prune"}, "Linear updater should be one of"),
        (GOOD | {"process_type": "update", "updater": "sync"}, "process_type 'update' can only"),
        (GOOD | {"monotone_constraints": "(1, 0)"}, "monotone_constraints can be used only"),
        (GOOD | {"tree_method": "hist", "monotone_constraints": "1"}, "monotone_constraints: 1 is"),
        (GOOD | {"interaction_constraints": "[[0]]"}, "interaction_constraints: "),
        (GOOD | {"tweedie_variance_power": "2"}, r"\(1, 2\)"),
    ],
)
def test_wrong_values_are_refused(given: dict[str, str], reason: str) -> None:
    """Each refusal names the hyperparameter, its value and what is allowed."""
    with pytest.raises(UserError, match=reason):
        hyperparameters.validate(given)


@pytest.mark.parametrize(
    "text",
    [
        b"1,2.5,-3e2\n4,5,6",
        b"1,2.5,-3e2\r\n4,5,6\r\n",
        b"\n1,2.5,-3e2\n4,5,6\n\n",
        b"1;2.5;-3e2\n4;5;6\n",
        b"1\t2.5\t-3e2\n4\t5\t6\n",
        b"1 , 2.5, -3e2\n4,5,6\n",
    ],
)
def test_csv_in_several_forms_is_the_same_table(
    text: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line ends, blank lines around, spaces and the delimiter make no difference; nor do blocks."""
    (tmp_path / "a.csv").write_bytes(text)
    for size in (1, 2, 3, 5, 8, 13, 100):
        monkeypatch.setattr(data, "_BLOCK_BYTES", size)
        for table in (data.read_csv(text), data.read_csv_file(tmp_path / "a.csv")):
            assert table.dtype == np.float32
            np.testing.assert_array_equal(table, [[1, 2.5, -300], [4, 5, 6]])


def test_empty_fields_are_missing_values() -> None:
    """An empty field and nan are missing."""
    table = data.read_csv(b"1,,3\nnan,5,")
    np.testing.assert_array_equal(table, [[1, np.nan, 3], [np.nan, 5, np.nan]])


@pytest.mark.parametrize(
    "text", [b"a,b\n1,2", b"1,2\n3", b"1,2\n3,4,5\n6", b"1,2 3\n4,5", b"1,2\n\n3,4", b"\xff,1"]
)
def test_what_is_no_table_is_refused(
    text: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers, rows of different lengths, blank rows and bytes that are no text are refused."""
    with pytest.raises(ValueError):  # noqa: PT011 (whose message varies with the case)
        data.read_csv(text)
    (tmp_path / "a.csv").write_bytes(text)
    for size in (1, 3, 4, 100):
        monkeypatch.setattr(data, "_BLOCK_BYTES", size)
        with pytest.raises(ValueError):  # noqa: PT011
            data.read_csv_file(tmp_path / "a.csv")


def test_quick_and_careful_reading_agree() -> None:
    """The quick path reads every digit as Python does."""
    values = np.random.default_rng(3).normal(size=(500, 7)) * 1e5
    text = "\n".join(",".join(map(repr, row)) for row in values.tolist()).encode()
    np.testing.assert_array_equal(data._read_plain(text), data._read_careful(text))
    np.testing.assert_array_equal(data._read_plain(text), values.astype(np.float32))


def test_a_file_of_white_space_has_no_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it is; one visible byte is content."""
    monkeypatch.setattr(data, "_BLOCK_BYTES", 4)
    file = tmp_path / "a.csv"
    for text in (b"", b" \r\n", b"\n" * 9):
        file.write_bytes(text)
        assert not data.has_content(file)
    file.write_bytes(b"\n1" + b"\n" * 9)
    assert data.has_content(file)


def test_libsvm_counts_from_zero() -> None:
    """Indices are columns counted from 0, as XGBoost's own reader takes them."""
    labels, weights, features = data.read_libsvm(b"1:0.5 0:1 2:3\n0:2 1:7 # note\n")
    assert labels.tolist() == [1, 0]
    assert weights is not None
    assert weights.tolist() == [0.5, 2]
    assert features.toarray().tolist() == [[1, 0, 3], [0, 7, 0]]


def test_hidden_files_are_no_data(tmp_path: Path) -> None:
    """Files whose name begins with a dot or underscore are left out; others come in order."""
    for name in ("b.csv", "a.csv", ".hidden", "_SUCCESS", "deep/c.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("1")
    found = [path.relative_to(tmp_path).as_posix() for path in data.files(tmp_path)]
    assert found == ["a.csv", "b.csv", "deep/c.csv"]


@pytest.mark.parametrize("classes", [2, 4])
def test_the_containers_metrics_are_those_of_scikit_learn(classes: int) -> None:
    """Each metric the container adds to XGBoost's is computed as scikit-learn does."""

    class Matrix:
        def get_label(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
            return labels

    random = np.random.default_rng(classes)
    labels = random.integers(0, classes, 200).astype(float)
    scores = random.random((200, classes))
    predictions = scores[:, 1] if classes == 2 else scores
    predicted = np.round(predictions) if classes == 2 else scores.argmax(axis=1)

    def average(name: str) -> dict[str, float]:
        function = getattr(reference, f"{name}_score")
        return {
            f"{name}_macro": function(labels, predicted, average="macro"),
            f"{name}_micro": function(labels, predicted, average="micro"),
        }

    expected = {
        "accuracy": reference.accuracy_score(labels, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(labels, predicted),
        "f1": reference.f1_score(labels, predicted, average="macro"),
        "f1_macro": reference.f1_score(labels, predicted, average="macro"),
        **average("precision"),
        **average("recall"),
    }
    if classes == 2:
        expected |= {
            "f1_binary": reference.f1_score(labels, predicted),
            "precision": reference.precision_score(labels, predicted),
            "recall": reference.recall_score(labels, predicted),
            "mse": reference.mean_squared_error(labels, predictions),
            "r2": reference.r2_score(labels, predictions),
        }
    evaluate = metrics.evaluator(list(expected))
    assert evaluate is not None
    assert dict(evaluate(predictions, Matrix())) == pytest.approx(expected)


def test_the_last_round_of_a_log_gives_the_metrics() -> None:
    """FinalMetricDataList is the last value of each of the algorithm's metrics."""
    log = (
        "[0]#011train-auc:0.10000#011validation-auc:0.20000\n"
        "something else\n"
        "[1]#011train-auc:0.30000#011train-error@0.7:0.5#011validation-auc:0.40000\n"
    )
    assert find(IMAGE).algorithm.metrics(log) == {
        "train:auc": 0.3,
        "train:error@0.7": 0.5,
        "validation:auc": 0.4,
    }
    assert find(IMAGE).algorithm.metrics("no round") == {}
