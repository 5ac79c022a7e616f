# ruff: noqa: D102, S301 (a double, which Spread describes; pickles of its own making)
"""Preparing a file in memory, with what tests vary given by name."""

import io
import pickle
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from data_prep import Format, Limits, Objective, Prepared, Wanted, prepare
from tests.support import load

# Every file is large: pyarrow and numpy prepare it.
BULK = Limits(small_bytes=0)
# Every file is too large to be shuffled.
STREAMED = Limits(small_bytes=0, exact_bytes=0)


def run(content: bytes | str, name: str, **options: Any) -> Prepared:
    """Prepare a bare file; fields of `Wanted` and `Format` are told by their names."""
    wanted = {key: options.pop(key) for key in list(options) if key in Wanted._fields}
    if wanted.get("objective"):
        # Told by the algorithm's name of it, with what the algorithm says of its labels.
        known = load("algorithms").DEFAULT.objectives[wanted["objective"]]
        wanted["objective"] = Objective(wanted["objective"], known.domain)
    form = {key: options.pop(key) for key in list(options) if key in Format._fields}
    raw = content.encode() if isinstance(content, str) else content
    return prepare(
        io.BytesIO(raw), name=name, wanted=Wanted(**wanted), form=Format(**form), **options
    )


@dataclass
class Machines:
    """Two machines in this process: everything that travels between them is pickled."""

    machines: int = 2
    blocks: dict[int, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def put(self, number: int, data: bytes) -> None:
        self.blocks[number] = data

    def reader(self) -> Callable[[int], bytes]:
        return _Reader(self.blocks)

    def writer(self) -> Callable[[str, memoryview], None]:
        return _Writer(id(self))

    def read_back(self, path: str) -> bytes:
        return self.files.pop(path)

    def survey(self, function: Any, items: Sequence[Any]) -> tuple[list[Any], int]:
        both = self.each(function, items)
        hashes = Counter(value for _, found in both for value in found.tolist())
        return [found for found, _ in both], sum(hashes.values()) - len(hashes)

    def each(self, function: Any, items: Sequence[Any]) -> list[Any]:
        _MACHINES[id(self)] = self
        return [pickle.loads(pickle.dumps(function))(pickle.loads(pickle.dumps(i))) for i in items]


_MACHINES: dict[int, Machines] = {}


@dataclass
class _Reader:
    blocks: dict[int, bytes]

    def __call__(self, number: int) -> bytes:
        return self.blocks[number]


@dataclass
class _Writer:
    to: int

    def __call__(self, path: str, data: memoryview) -> None:
        _MACHINES[self.to].files[path] = bytes(data)
