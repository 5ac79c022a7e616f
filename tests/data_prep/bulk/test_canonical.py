# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""Rows that are said to be written as they should be are."""

import random

import numpy as np
import pytest

from data_prep.bulk import canonical
from tests.data_prep.generated import any_float, written
from tests.support import seeds

ODD = ["1.50", "05.5", "00.5", "1.", "-.5", ".5", "-0.0", "0.0", "+1.5", " 1.5", "1.5 ", "1.5\t"]
ODD += ["0.0001", "0.00001", "0.00012", "-0.00009", "1e5", "1.5E-3", "12", "0", "10", "-10.0"]
ODD += ["123456789012345.6", "1234567890123.45", "12345678901234.5", "0.123456789012345"]
ODD += ["0.1234567890123456", "-1234567890123.45", "-12345678901234.5", "9007199254740993.0"]
LABELS = ["a", "a.b", "1", "10", "0.0", "-", "x" * 20, "1e5", "\u00e9", "100.", "no"]


@pytest.mark.parametrize("seed", seeds(60))
def test_rows_that_are_not_suspect_are_what_repr_writes(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However numbers are written, wherever pieces begin: no row slips through."""
    draw = random.Random(seed)
    monkeypatch.setattr(canonical, "_PIECE", draw.choice([19, 64, 1000, 1 << 18]))
    strange = draw.choice([0.0, 0.01, 0.2])
    width, last = draw.randrange(1, 5), draw.random() < 0.5
    names = draw.sample(LABELS, 2)
    rows = []
    for _ in range(draw.randrange(1, 400)):
        values = [
            draw.choice([draw.choice(ODD), written(draw, any_float(draw))])
            if draw.random() < strange
            else repr(round(draw.gauss(0, 5), draw.randrange(1, 9)))
            for _ in range(width)
        ]
        rows.append((values, draw.choice(names)))
    lines = [
        ",".join([*values, label] if last else [label, *values]).encode() + b"\n"
        for values, label in rows
    ]
    numbers = [np.array([float(values[at]) for values, _ in rows]) for at in range(width)]
    counts: dict[bytes, int] = {}
    for _, label in rows:
        counts[label.encode()] = counts.get(label.encode(), 0) + 1
    lines = [line.replace(b"\n", b"\r\n") for line in lines] if draw.random() < 0.2 else lines
    text = np.frombuffer(b"".join(lines), np.uint8)
    suspects = canonical.suspects(text, numbers, counts)
    wrong = {
        row for row, (values, _) in enumerate(rows) if [repr(float(v)) for v in values] != values
    }
    if suspects is None:
        assert strange or any(" " in name or "1e5" in name for name in names)
        return
    starts = np.cumsum([0, *map(len, lines)])
    assert suspects.starts.tolist() == starts[:-1].tolist()
    assert [text[end] for end in suspects.ends] == [
        lines[0][-2 if b"\r" in lines[0] else -1]
    ] * len(lines)
    found = suspects.rows.tolist()
    assert wrong <= set(found)
    assert found == sorted(set(found))
    if not strange and set(names) <= {"a", "-", "no", "\u00e9"}:
        assert len(found) <= len(rows) // 10 + len(wrong)


@pytest.mark.parametrize(
    "line",
    ['1.5,"a"', "1.5,'a'", "1.5,a b", "1.5, a", " 1.5,a", "+1.5,a", "1.5,a%", "1.5,{a", "1.5\t,a"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_only_other_readers_understand_is_told(line: str, end: str) -> None:
    """One row with a quote, a blank, a sign or a bracket: nothing is said of any row."""
    rows = [b"2.5,a"] * 20 + [line.encode()] + [b"2.5,a"] * 20
    text = np.frombuffer(b"".join(row + end.encode() for row in rows), np.uint8)
    labels = [row.split(b",")[1] for row in rows]
    numbers = [np.array([float(row.split(b",")[0]) for row in rows])]
    counts = {label: labels.count(label) for label in labels}
    assert canonical.suspects(text, numbers, counts) is None


def test_a_lone_carriage_return_is_told() -> None:
    """Line ends of two kinds are for the other readers."""
    text = np.frombuffer(b"2.5,a\r\n2.5,a\n", np.uint8)
    assert canonical.suspects(text, [np.array([2.5, 2.5])], {b"a": 2}) is None
    text = np.frombuffer(b"2.5,a\n\r\n2.5,a\n", np.uint8)
    assert canonical.suspects(text, [np.array([2.5, 2.5])], {b"a": 2}) is None
