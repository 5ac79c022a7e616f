"""Preparing a file in memory, with what tests vary given by name."""

import io
from typing import Any

from data_prep import Format, Limits, Prepared, Wanted, prepare

# Every file is large: pyarrow and numpy prepare it.
BULK = Limits(small_bytes=0)
# Every file is too large to be shuffled.
STREAMED = Limits(small_bytes=0, exact_bytes=0)


def run(content: bytes | str, name: str, **options: Any) -> Prepared:
    """Prepare a bare file; fields of `Wanted` and `Format` are told by their names."""
    wanted = {key: options.pop(key) for key in list(options) if key in Wanted._fields}
    form = {key: options.pop(key) for key in list(options) if key in Format._fields}
    raw = content.encode() if isinstance(content, str) else content
    return prepare(
        io.BytesIO(raw), name=name, wanted=Wanted(**wanted), form=Format(**form), **options
    )
