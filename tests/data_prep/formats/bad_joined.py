"""Several files that are no one table."""

from tests.data_prep.building import ARFF, CSV, archive, zipped
from tests.data_prep.support import errors

BAD = {
    "parts of other columns": archive(
        zipped(("a.csv", CSV), ("b.csv", CSV.replace("a,b", "a,c", 1))),
        errors.PartsDifferError,
        "'b.csv' has the columns 'a', 'c', 'class'",
        "as 'a.csv' has",
        member="*.csv",
    ),
    "parts of other formats": archive(
        zipped(("a.csv", CSV), ("b.arff", ARFF)),
        errors.PartsDifferError,
        "'b.arff' is of another format",
        member="*",
    ),
    "parts in other folders": archive(
        zipped(("k=1/a.csv", CSV), ("b/b.csv", CSV)),
        errors.PartsDifferError,
        "'k=1/a.csv'",
        "folders",
        member="*",
    ),
    "a bad row of the second part": archive(
        zipped(("a.csv", CSV), ("b.csv", CSV + "1,x,Normal\n")),
        errors.NotANumberError,
        "file 'b.csv', line 42, column 'b'",
        member="*",
    ),
    "a part without a header": archive(
        zipped(("a.csv", CSV), ("b.csv", "1,2.5,Normal\n")),
        errors.HeaderMissingError,
        "file 'b.csv', line 1",
        member="*",
    ),
    "a damaged part": archive(
        zipped(("a.csv", CSV), ("b.csv.gz", b"\x1f\x8bnoise" * 9)),
        errors.DamagedArchiveError,
        "'b.csv'",
        member="*",
    ),
    "no part": archive(
        zipped(("a.csv", CSV), ("_b.json", "x")),
        errors.MemberNotFoundError,
        "no file of data",
        "source.member",
        member="*.json",
    ),
    "other parts than said": archive(
        zipped(("a.csv", CSV), ("b.csv", CSV)),
        errors.ChecksumError,
        "the list of the files",
        member="*",
        sha256="ab" * 32,
    ),
    "ARFF in folders of columns": archive(
        zipped(("k=1/a.arff", ARFF)), errors.UnsupportedTypeError, "'k'", member="*"
    ),
}
