# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""Rows that are said to be written as they should be are."""

import random

import numpy as np
import pytest

from data_prep import plain
from tests.data_prep.test_bytes import any_float, written

ODD = ["1.50", "05.5", "00.5", "1.", "-.5", ".5", "-0.0", "0.0", "+1.5", " 1.5", "1.5 ", "1.5\t"]
ODD += ["0.0001", "0.00001", "0.00012", "-0.00009", "1e5", "1.5E-3", "12", "0", "10", "-10.0"]
ODD += ["123456789012345.6", "1234567890123.45", "12345678901234.5", "0.123456789012345"]
ODD += ["0.1234567890123456", "-1234567890123.45", "-12345678901234.5", "9007199254740993.0"]
LABELS = ["a", "a.b", "1", "10", "0.0", "-", "x" * 20, "1e5", "\u00e9", "100.", "no"]


@pytest.mark.parametrize("seed", range(60))
def test_rows_that_are_not_suspect_are_what_repr_writes(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However numbers are written, wherever pieces begin: no row slips through."""
    draw = random.Random(seed)
    monkeypatch.setattr(plain, "_PIECE", draw.choice([19, 64, 1000, 1 << 18]))
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
    starts = np.cumsum([0, *map(len, lines[:-1])])
    numbers = [np.array([float(values[at]) for values, _ in rows]) for at in range(width)]
    counts: dict[bytes, int] = {}
    for _, label in rows:
        counts[label.encode()] = counts.get(label.encode(), 0) + 1
    found = plain.suspects(b"".join(lines), starts, numbers, counts)
    wrong = {
        row for row, (values, _) in enumerate(rows) if [repr(float(v)) for v in values] != values
    }
    if found is None:
        assert strange or any(" " in name or "1e5" in name for name in names)
        return
    assert wrong <= set(found.tolist())
    assert found.tolist() == sorted(set(found.tolist()))
    if not strange and set(names) <= {"a", "-", "no", "\u00e9"}:
        assert len(found) <= len(rows) // 10 + len(wrong)
