"""Bad files of Parquet."""

import datetime as dt

from tests.data_prep.building import Bad, parquet
from tests.data_prep.support import errors

BAD = {
    "parquet cut": Bad(parquet()[:-9], "x", errors.DamagedArchiveError, ("Parquet", "again")),
    "parquet altered": Bad(
        parquet()[:60] + b"?" * 40 + parquet()[100:],
        "x.parquet",
        errors.DamagedArchiveError,
        ("Parquet",),
    ),
    "parquet of dates": Bad(
        parquet(a=[dt.date(2020, 1, 1)] * 40), "x", errors.UnsupportedTypeError, ("date", "'a'")
    ),
    "parquet of lists": Bad(
        parquet(a=[[1]] * 40), "x", errors.UnsupportedTypeError, ("list", "'a'")
    ),
    "parquet without rows": Bad(parquet(rows=0), "x", errors.NoRowsError, ("no rows",)),
    "parquet with gaps": Bad(
        parquet(a=[None] + [1.5] * 39), "x", errors.MissingValueError, ("line 1", "'a'")
    ),
    "parquet of text": Bad(
        parquet(a=["x"] * 40), "x", errors.NotANumberError, ("'x'", "source.categorical")
    ),
    "parquet infinite": Bad(parquet(a=[float("inf")] * 40), "x", errors.NotFiniteError, ("'a'",)),
}
