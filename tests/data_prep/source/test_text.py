"""Text of any line ends and marks is read alike."""

import io

import pytest

from data_prep import prepare
from tests.data_prep.formats.samples import ARFF, CSV


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("text", [ARFF, CSV])
def test_line_ends_and_byte_order_marks_change_nothing(text: str, mark: str, ends: str) -> None:
    """Unix, Windows and old Mac line ends, with or without a mark, give the same files."""
    changed = (mark + text.replace("\n", ends)).encode()
    expected = prepare(io.BytesIO(text.encode()), name="x")
    assert prepare(io.BytesIO(changed), name="x").files == expected.files
