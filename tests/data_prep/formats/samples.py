"""A good file of each format: what a walk over the registry asks every room to read."""

import io
from collections.abc import Callable

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


# By the names of the registry.
SAMPLES: dict[str, Callable[[], bytes]] = {
    "arff": ARFF.encode,
    "csv": CSV.encode,
    "parquet": _parquet,
}
