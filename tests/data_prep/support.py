# ruff: noqa: D102, S301 (a double, which Spread describes; pickles of its own making)
"""Preparing a file in memory, with what tests vary given by name."""

import importlib
import io
import pickle
import pkgutil
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import data_prep
from data_prep import FormatOptions, Limits, Objective, Prepared, Wanted, formats, prepare
from data_prep.errors import DataError
from data_prep.formats.base import Opened
from data_prep.source.examination import examine
from spine.shipped import load

# Every module of `data_prep` by its name, so that what stands in each can be asked for.
MODULES = {
    module.name: importlib.import_module(module.name)
    for module in pkgutil.walk_packages(data_prep.__path__, "data_prep.")
}
# Every refusal by its name, wherever its check is.
errors = SimpleNamespace(**{error.__name__: error for error in DataError.__subclasses__()})
# Every file is large: pyarrow and numpy prepare it.
BULK = Limits(small_bytes=0)
# Every file is too large to be shuffled.
STREAMED = Limits(small_bytes=0, exact_bytes=0)


def zipped(**members: str) -> io.BytesIO:
    """A zip file; `__` in a name stands for a dot, `_in_` for a slash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_in_", "/").replace("__", "."), content)
    return buffer


def opened_whole(text: str, name: str) -> Opened:
    """Open a bare file that has been examined."""
    file = examine(io.BytesIO(text.encode()), name=name)
    file.finish()
    return formats.opened(file)


def run(content: bytes | str, name: str, **options: Any) -> Prepared:
    """Prepare a bare file; fields of `Wanted` and `FormatOptions` are told by their names."""
    wanted = {key: options.pop(key) for key in list(options) if key in Wanted._fields}
    if wanted.get("objective"):
        # Told by the algorithm's name of it, with what the algorithm says of its labels.
        known = load("algorithms").DEFAULT.objectives[wanted["objective"]]
        wanted["objective"] = Objective(wanted["objective"], known.domain)
    how = {key: options.pop(key) for key in list(options) if key in FormatOptions._fields}
    raw = content.encode() if isinstance(content, str) else content
    return prepare(
        io.BytesIO(raw),
        name=name,
        wanted=Wanted(**wanted),
        format_options=FormatOptions(**how),
        **options,
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
        return [_sent(_sent(function)(_sent(item))) for item in items]


def _sent(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


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
