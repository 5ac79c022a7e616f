"""What the XGBoost container reads as a table, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest

from localcloud.sagemaker.containers.xgboost import data


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
