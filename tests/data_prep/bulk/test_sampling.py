"""The sample of a large file is the one that small files have, block by block."""

import numpy as np
import pytest

from data_prep import leaks
from data_prep.bulk import blocks, sampling
from tests.data_prep.support import BULK, STREAMED, run


@pytest.mark.parametrize("block", [700, 1 << 21])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("blank", [False, True])
def test_the_sample_is_the_same_however_the_file_is_cut(
    block: int, *, gaps: bool, blank: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every lane numbers its rows by their lines, blank lines among them."""
    monkeypatch.setattr(blocks, "SIZE", block)
    monkeypatch.setattr(leaks, "_MOST_ROWS", 256)
    seen: list[leaks.Sample] = []
    findings = leaks.findings

    def spy(features: object, sample: leaks.Sample, *others: object) -> object:
        seen.append(sample)
        return findings(features, sample, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(leaks, "findings", spy)
    draw = np.random.RandomState(1)
    lines = [
        f"{'' if gaps and row % 50 == 7 else repr(round(value, 6))}"
        f",{row % 9},{'uv'[row * 7 % 11 % 2]}"
        for row, value in enumerate(draw.normal(0, 1, 3000).tolist())
    ]
    if blank:
        lines[1000:1000] = ["", ""]
    text = "a,b,y\n" + "\n".join(lines) + "\n"
    for limits in (None, BULK, STREAMED):
        run(text, "x.csv", label="y", positive="u", missing="pass", limits=limits)
    small, *large = seen
    assert 150 < len(small.labels) < 350
    for sample in large:
        np.testing.assert_array_equal(np.array(sample.columns), np.array(small.columns))
        assert sample.labels == small.labels


def test_lines_of_rows_pass_over_blank_ones() -> None:
    """Counted from the block's first line."""
    text = np.frombuffer(b"1,2\n\n3,4\n5,6\n", np.uint8)
    starts, _ = blocks.lines_of(text)
    assert sampling.line_numbers(10, text, starts, 3).tolist() == [10, 12, 13]
    assert sampling.line_numbers(10, text, starts[:2], 3).tolist() == [10, 11, 12]


def test_keys_of_categories_compare_whatever_their_bits() -> None:
    """A key whose bits are those of a NaN is no missing value."""
    bits = np.array([0x7FF8000000000001, 0x7FF8000000000000, 5 << 11], np.uint64)
    first, missing, third = sampling._keys(bits.view(np.float64)).tolist()
    assert first == first
    assert missing != missing
    assert third == 5
