"""A good file of each format: what a walk over the registry asks every room to read."""

import io
from collections.abc import Callable
from typing import Any

ARFF = (
    "@relation r\n@attribute a real\n@attribute class {Abnormal,Normal}\n@data\n"
    + "1,Abnormal\n2,Normal\n2,Abnormal\n" * 20
)
CSV = "a,class\n" + "1.5,Abnormal\n2.5,Normal\n2.5,Abnormal\n" * 20


def _parquet() -> bytes:
    # Its libraries take more memory than fuzzing small files may.
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    columns = {"a": [1.5, 2.5, 2.5] * 20, "class": ["Abnormal", "Normal", "Abnormal"] * 20}
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


JSON = "".join(
    f'{{"a":{row[0]},"class":"{row[1]}"}}\n'
    for row in [(1.5, "Abnormal"), (2.5, "Normal"), (2.5, "Abnormal")] * 20
)
# Its label has a name and values of the format's own.
LIBSVM = "1 1:1.5\n0 1:2.5\n1 1:2.5 3:4 # a remark\n" * 20


def _xlsx() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for row in [("a", "class"), *[(1.5, "Abnormal"), (2.5, "Normal"), (2.5, "Abnormal")] * 20]:
        book.active.append(row)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


# What is asked of a sample, where not the notebook's label.
ASKED: dict[str, dict[str, Any]] = {"libsvm": {"label": "label", "positive": "1"}}
# By the names of the registry.
SAMPLES: dict[str, Callable[[], bytes]] = {
    "arff": ARFF.encode,
    "csv": CSV.encode,
    "json": JSON.encode,
    "libsvm": LIBSVM.encode,
    "parquet": _parquet,
    "xlsx": _xlsx,
}
