"""LIBSVM's sparse rows: features that a row leaves out are 0."""

import io

import numpy as np
import pytest
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from data_prep import Limits
from data_prep.bulk import blocks
from tests.data_prep.support import BULK, errors, opened_whole, run

TEXT = "+1 1:0.5 3:2\n\n# a remark\n-1 2:1e-3 # another\n+1\n"


def test_indexes_are_columns_and_what_is_left_out_is_zero() -> None:
    """From 1, or from 0 where that index stands; values stay as they are written."""
    opened = opened_whole(TEXT, "x.svm")
    assert opened.rows.names == ("label", "feature_1", "feature_2", "feature_3")
    (batch,) = opened.batches()
    assert batch.rows == [["+1", "0.5", "0", "2"], ["-1", "0", "1e-3", "0"], ["+1", "0", "0", "0"]]
    assert batch.lines == [1, 4, 5]
    assert opened_whole("1 0:1\n", "x.svm").rows.names == ("label", "feature_0")


@pytest.mark.parametrize("limits", [Limits(), BULK])
def test_what_scikit_learn_writes_is_read_as_scikit_learn_reads_it(
    limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same numbers, however large the file is taken for."""
    monkeypatch.setattr(blocks, "SIZE", 500)
    draw = np.random.default_rng(7)
    table = draw.normal(size=(200, 5)) * (draw.random((200, 5)) < 0.4)
    table[0] = 1
    labels = draw.integers(0, 2, 200)
    sink = io.BytesIO()
    dump_svmlight_file(table, labels, sink, zero_based=False)
    sink.seek(0)
    expected = load_svmlight_file(sink)[0].toarray()
    done = run(sink.getvalue(), "x", label="label", positive="1", limits=limits)
    rows = [line.split(b",") for line in done.files["train/train.csv"].splitlines()]
    found = sorted(tuple(map(float, row[1:])) for row in rows)
    every = {tuple(row) for row in expected.tolist()}
    assert len(found) == 160
    assert set(found) <= every


def test_a_far_index_is_refused() -> None:
    """As a table it would have a thousand million columns."""
    with pytest.raises(errors.TooLargeError, match="999,999,999"):
        run("1 1:1\n1 999999998:1\n", "x.svm", label="label")
