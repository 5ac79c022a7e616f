"""Payloads of a batch transform."""

import io

import pytest

from localcloud.sagemaker.batching import payloads
from localcloud.sagemaker.errors import JobError


@pytest.mark.parametrize(
    ("multiple", "cut"),
    [(True, [b"1\n22\n", b"333\n4"]), (False, [b"1\n", b"22\n", b"333\n", b"4"])],
)
def test_records_are_lines_and_stay_whole(multiple: bool, cut: list[bytes]) -> None:
    """As many as fit, or one by one; never more bytes than the limit."""
    source = io.BytesIO(b"1\n22\n333\n4")
    assert list(payloads(source, lines=True, multiple=multiple, limit=5)) == cut


def test_an_input_that_is_not_split_is_one_payload() -> None:
    """Or too large, which is said."""
    text = b"1\n22\n333\n4"
    assert list(payloads(io.BytesIO(text), lines=False, multiple=True, limit=10)) == [text]
    with pytest.raises(JobError, match="10 bytes is larger than MaxPayloadInMB"):
        list(payloads(io.BytesIO(text), lines=False, multiple=True, limit=9))


def test_nothing_is_no_payload() -> None:
    """An empty input split by lines asks the model nothing."""
    assert list(payloads(io.BytesIO(b""), lines=True, multiple=True, limit=5)) == []
