# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""Numbers of rows are gathered as they come."""

import random

import numpy as np
import pytest

from data_prep.bulk import statistics


@pytest.mark.parametrize("seed", range(20))
def test_what_is_gathered_is_joined_in_order(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the pieces and the chunks, all comes back once, and nothing is left."""
    draw = random.Random(seed)
    monkeypatch.setattr(statistics, "_CHUNK", draw.choice([1, 3, 8, 64]))
    gathered = statistics.Gathered()
    for _ in range(2):
        pieces = [
            np.array([draw.getrandbits(64) for _ in range(draw.randrange(12))], np.uint64)
            for _ in range(draw.randrange(9))
        ]
        for piece in pieces:
            gathered.add(piece)
        expected = np.concatenate([np.empty(0, np.uint64), *pieces])
        assert gathered.joined().tolist() == expected.tolist()
    assert len(gathered.joined()) == 0
