"""A bad input for each refusal, and for each of its ways, as the documentation orders them.

What a format's own reader refuses stands in `formats`.
"""

import bz2
import gzip
import lzma
import zipfile

import pyarrow as pa

from data_prep import Fractions, Limits
from tests.data_prep.building import (
    ARFF,
    CSV,
    DEFLATED,
    ROWS,
    SMALL,
    Bad,
    altered,
    archive,
    csv,
    encrypted,
    header,
    link,
    method,
    numbers,
    zipped,
)
from tests.data_prep.formats import (
    bad_arff,
    bad_delimited,
    bad_joined,
    bad_parquet,
    bad_records,
    bad_workbook,
)
from tests.data_prep.support import errors

BAD = {
    # The file as a whole.
    "empty": Bad(b"", "x.csv", errors.EmptyFileError, ("'x.csv' is empty", "header")),
    "empty member": archive(zipped(("a.csv", b"")), errors.EmptyFileError, "'a.csv' is empty"),
    "empty gzip": Bad(gzip.compress(b""), "x.csv.gz", errors.EmptyFileError, ("'x.csv'",)),
    "web page": Bad(b"\n<!DOCTYPE html><html>Moved", "x.zip", errors.WebPageError, ("browser",)),
    "web page in a member": archive(zipped(("a.csv", "<html>")), errors.WebPageError, "'a.csv'"),
    "damaged parquet": Bad(b"PAR1\x15\x04", "x", errors.DamagedArchiveError, ("Parquet",)),
    "pdf": Bad(b"%PDF-1.7", "x.csv", errors.UnsupportedFormatError, ("PDF",)),
    "old excel": Bad(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..", "x.xls", errors.UnsupportedFormatError, ("Excel",)
    ),
    "excel": archive(
        zipped(("[Content_Types].xml", "<a/>"), ("xl/sheet.xml", "<a/>")),
        errors.UnsupportedFormatError,
        "no workbook",
        "save the table as CSV",
    ),
    "7-zip": Bad(b"7z\xbc\xaf\x27\x1c..", "x.7z", errors.UnsupportedFormatError, ("7-Zip", "zip")),
    "rar": Bad(b"Rar!\x1a\x07..", "x", errors.UnsupportedFormatError, ("RAR",)),
    "tar in gzip": Bad(
        gzip.compress(b"a.csv".ljust(257, b"1") + b"ustar"),
        "x.tar.gz",
        errors.UnsupportedFormatError,
        ("tar",),
    ),
    "too large": csv(CSV * 20, errors.TooLargeError, "10,000 bytes", "sample", limits=SMALL),
    "too many rows": csv(
        CSV, errors.TooLargeError, "than 39 rows", "sample", limits=Limits(rows=39)
    ),
    "checksum": csv(CSV, errors.ChecksumError, "not " + "ab" * 32, "sha256", sha256="AB" * 32),
    # Archives.
    "truncated zip": archive(
        zipped(("a.arff", ARFF))[:-30], errors.DamagedArchiveError, "Download the file again"
    ),
    "zip without a tail": archive(
        zipped(("a.arff", ARFF))[:400], errors.DamagedArchiveError, "Download the file again"
    ),
    "altered zip": archive(altered(), errors.DamagedArchiveError, "data.arff", "CRC"),
    "truncated gzip": Bad(
        gzip.compress(CSV.encode())[:-12], "x.csv.gz", errors.DamagedArchiveError, ("again",)
    ),
    "altered gzip": Bad(
        gzip.compress(CSV.encode())[:-8] + b"\0" * 8,
        "x.csv.gz",
        errors.DamagedArchiveError,
        ("CRC",),
    ),
    "truncated bzip2": Bad(
        bz2.compress(CSV.encode())[:-12], "x.csv.bz2", errors.DamagedArchiveError, ("again",)
    ),
    "bzip2 of noise": Bad(b"BZhnoise" * 9, "x.bz2", errors.DamagedArchiveError, ("'x'",)),
    "truncated xz": Bad(
        lzma.compress(CSV.encode())[:-12], "x.csv.xz", errors.DamagedArchiveError, ("again",)
    ),
    "altered xz": Bad(
        lzma.compress(CSV.encode())[:40] + b"?" * 40 + lzma.compress(CSV.encode())[80:],
        "x.csv.xz",
        errors.DamagedArchiveError,
        ("'x.csv'",),
    ),
    "zstandard of noise": Bad(
        b"\x28\xb5\x2f\xfdnoise", "x.zst", errors.DamagedArchiveError, ("'x'", "again")
    ),
    "truncated zstandard": Bad(
        pa.compress(CSV.encode(), codec="zstd", asbytes=True)[:-9],
        "x.csv.zst",
        errors.DamagedArchiveError,
        ("again",),
    ),
    "gzip of noise": Bad(b"\x1f\x8b" + b"noise" * 9, "x.gz", errors.DamagedArchiveError, ("x",)),
    "encrypted": archive(encrypted(), errors.EncryptedArchiveError, "without a password"),
    "slip": archive(
        zipped(("../../etc/x.arff", ARFF)), errors.UnsafeMemberNameError, "../../etc/x.arff"
    ),
    "absolute": archive(zipped(("/etc/x.arff", ARFF)), errors.UnsafeMemberNameError, "/etc"),
    "drive": archive(zipped(("C:x.arff", ARFF)), errors.UnsafeMemberNameError, "C:x"),
    "backslash": archive(zipped(("..\\x.arff", ARFF)), errors.UnsafeMemberNameError, "plain names"),
    "slip beside the data": archive(
        zipped(("a.arff", ARFF), ("../b", "")), errors.UnsafeMemberNameError, "../b"
    ),
    "link": archive(zipped((link(), "/etc/passwd")), errors.SymlinkMemberError, "the file itself"),
    "duplicate": archive(
        zipped(("a.arff", ARFF), ("a.arff", ARFF)), errors.DuplicateMemberError, "2 members"
    ),
    "zip in zip": archive(
        zipped(("a.zip", zipped(("a.arff", ARFF)))), errors.NestedArchiveError, "inner archive"
    ),
    "gzip in zip": archive(
        zipped(("a.csv", gzip.compress(b"a,b"))), errors.NestedArchiveError, "gzip"
    ),
    "zip in gzip": Bad(
        gzip.compress(zipped(("a.arff", ARFF))), "x.gz", errors.NestedArchiveError, ("zip",)
    ),
    "bomb": archive(
        zipped(("a.csv", b"0\n" * 10_000_000), **DEFLATED), errors.ArchiveBombError, "200 times"
    ),
    "bzip2 bomb": Bad(
        bz2.compress(b"0\n" * 10_000_000), "x.csv.bz2", errors.ArchiveBombError, ("compressed",)
    ),
    "xz bomb": Bad(
        lzma.compress(b"0\n" * 10_000_000), "x.csv.xz", errors.ArchiveBombError, ("compressed",)
    ),
    "zstandard bomb": Bad(
        pa.compress(b"0\n" * 10_000_000, codec="zstd", asbytes=True),
        "x.csv.zst",
        errors.ArchiveBombError,
        ("compressed",),
    ),
    "gzip bomb": Bad(
        gzip.compress(b"0\n" * 10_000_000), "x.csv.gz", errors.ArchiveBombError, ("compressed",)
    ),
    "many members": archive(
        zipped(*[(f"{at}", "") for at in range(100)]),
        errors.TooManyMembersError,
        "more than 2,000",
        "alone",
        limits=SMALL,
    ),
    "lzma": archive(
        zipped(("a.arff", ARFF), compression=zipfile.ZIP_LZMA),
        errors.UnsupportedCompressionError,
        "method 14",
        "deflate",
    ),
    "unknown method": archive(method(99), errors.UnsupportedCompressionError, "method 99"),
    "no such member": archive(
        zipped(("a.csv", CSV), ("b.csv", CSV)),
        errors.MemberNotFoundError,
        "'c.csv'",
        "one of: 'a.csv', 'b.csv'",
        member="c.csv",
    ),
    "member of a bare file": csv(
        CSV, errors.MemberNotFoundError, "'y.csv'", "'x.csv'", member="y.csv"
    ),
    "two members fit": archive(
        zipped(("p/a.csv", CSV), ("q/a.csv", CSV)),
        errors.MemberNotFoundError,
        "several",
        "'p/a.csv'",
        member="a.csv",
    ),
    "which member": archive(
        zipped(("a.csv", CSV), ("b.arff", ARFF)),
        errors.AmbiguousMemberError,
        "2 files",
        "source.member",
        "'b.arff'",
    ),
    "no member": archive(zipped(), errors.AmbiguousMemberError, "holds no file"),
    # Text.
    "latin-1": Bad(
        CSV.replace("b", "é", 1).encode("latin-1"),
        "x.csv",
        errors.EncodingError,
        ("line 1", "0xe9", "UTF-8"),
    ),
    "latin-1 further down": Bad(
        (CSV + "1,2,Norm\xe4l\n").encode("latin-1"), "x.csv", errors.EncodingError, ("line 42",)
    ),
    "cut character": Bad(CSV.encode() + b"\xe2\x82", "x.csv", errors.EncodingError, ("line 42",)),
    "utf-16 cut": Bad(
        CSV.encode("utf-16")[:-1], "x.csv", errors.EncodingError, ("UTF-16", "UTF-8")
    ),
    "utf-16 without a mark": Bad(
        CSV.encode("utf-16-le"), "x.csv", errors.BinaryContentError, ("source.format.encoding",)
    ),
    "latin-1 in the header": Bad(
        "a,b,classé\n".encode("latin-1"), "x.csv", errors.EncodingError, ("latin-1", "line 1")
    ),
    "unknown encoding": csv(CSV, errors.EncodingError, "'klingon'", "utf-8", encoding="klingon"),
    "binary encoding": csv(CSV, errors.EncodingError, "'zlib'", encoding="zlib"),
    "wrong encoding": csv(CSV + "é", errors.EncodingError, "ASCII", encoding="ascii"),
    "nul": csv(CSV + "1,\0,Normal\n", errors.BinaryContentError, "line 42", "NUL"),
    "long line": csv(
        "a,b,class\n" + "1" * 1200, errors.LineTooLongError, "line 2", "1,000", limits=SMALL
    ),
    # ARFF.
    **bad_arff.BAD,
    # CSV.
    **bad_delimited.BAD,
    # The label.
    "label not found": csv(
        CSV, errors.LabelNotFoundError, "'Class'", "one of: 'a', 'b', 'class'", label="Class"
    ),
    "label alone": header("@attribute class {Abnormal,Normal}", errors.NoFeaturesError, "column"),
    "positive not found": csv(
        CSV, errors.PositiveNotFoundError, "'abnormal'", "'Abnormal', 'Normal'", positive="abnormal"
    ),
    "one class": csv("a,class\n1,x\n2,x\n", errors.OneClassError, "'x'", positive="x"),
    "three classes": csv(
        CSV + "1,2,Odd\n", errors.TooManyClassesError, "3 values", "'Odd'", "two of them"
    ),
    "a label of numbers": csv(
        "a,class\n" + "".join(f"1,{row}\n" for row in range(300)),
        errors.TooManyClassesError,
        "line 258",
        "more than 256",
    ),
    "two rows": csv("a,class\n1,x\n2,y\n", errors.TooFewRowsError, "1 positive", positive="x"),
    "a class of three": csv(
        "a,class\n" + "1,x\n" * 3 + "2,y\n" * 97,
        errors.TooFewRowsError,
        "3 positive and 97 negative",
        "Add rows",
        positive="x",
    ),
    "a part too small": csv(
        CSV,
        errors.TooFewRowsError,
        "larger share",
        fractions=Fractions(0.97, 0.01, 0.02),
    ),
    "three classes, four asked for": csv(
        CSV.replace("2,2.5,Abnormal", "2,2.5,Odd"),
        errors.ClassCountError,
        "num_class is 4",
        "3 values: 'Abnormal', 'Normal', 'Odd'",
        "Leave num_class out, or give 3",
        task="multiclass",
        num_class=4,
    ),
    "several classes wanted, one there": csv(
        "a,class\n1,x\n2,x\n", errors.OneClassError, "'x'", task="multiclass"
    ),
    "a class of several too rare": csv(
        CSV + "1,2,Odd\n",
        errors.TooFewRowsError,
        "1 of 41 rows with the label 'Odd'",
        task="multiclass",
    ),
    "more classes than a byte": csv(
        "a,class\n" + "".join(f"1,{row}\n" for row in range(300)),
        errors.TooManyClassesError,
        "line 258",
        "reg:squarederror",
        task="multiclass",
    ),
    # A regression's label.
    "number missing": numbers("1,2,", errors.MissingValueError, "line 42", "the label is missing"),
    "number missing, gaps allowed": numbers(
        "1,2,?", errors.MissingValueError, "line 42", "'y'", missing="pass"
    ),
    "class instead of a number": numbers(
        "1,2,high", errors.NotANumberError, "line 42", "'y'", "'high'", "multi:softprob"
    ),
    "number of another script": numbers("1,2,١٢", errors.ForeignDigitsError, "line 42", "'y'"),
    "number with an underscore": numbers("1,2,1_0", errors.DigitSeparatorError, "line 42", "'y'"),
    "infinite number": numbers("1,2,inf", errors.NotFiniteError, "line 42", "'y'"),
    "number beyond 32 bits": numbers(
        "1,2,1e39", errors.NotFiniteError, "line 42", "'1e39'", "3.4e38"
    ),
    "minus one with logarithms": numbers(
        "1,2,-1",
        errors.NotAboveMinusOneLabelError,
        "line 42",
        "'-1' is not more than -1",
        "reg:squaredlogerror needs",
        objective="reg:squaredlogerror",
    ),
    "negative count": numbers(
        "1,2,-0.5",
        errors.NegativeLabelError,
        "line 42",
        "'y'",
        "0 or more",
        objective="count:poisson",
    ),
    "negative sum": numbers(
        "1,2,-3", errors.NegativeLabelError, "line 42", "'-3'", objective="reg:tweedie"
    ),
    "zero with a logarithm": numbers(
        "1,2,0", errors.NotPositiveLabelError, "line 42", "more than 0", objective="reg:gamma"
    ),
    "zero to 32-bit floats": numbers(
        "1,2,1e-60", errors.NotPositiveLabelError, "line 42", "'1e-60'", objective="reg:gamma"
    ),
    "more than a share": numbers(
        "1,2,1.5", errors.NotAShareLabelError, "line 2", "from 0 to 1", objective="reg:logistic"
    ),
    "the same number throughout": csv(
        "a,y\n" + "".join(f"{row},7\n" for row in range(40)),
        errors.OneClassError,
        "7.0",
        task="regression",
        label="y",
    ),
    "no numbers": csv("a,y\n", errors.NoRowsError, "no row", task="regression", label="y"),
    "too few numbers": csv(
        "a,y\n1,2\n2,3\n4,5\n",
        errors.TooFewRowsError,
        "3 rows are too few",
        task="regression",
        label="y",
    ),
    "the number again": csv(
        "a,b,y\n" + "".join(f"{row % 7},{row * row},{row * row}\n" for row in range(40)),
        errors.LeakageError,
        "'b'",
        task="regression",
        label="y",
    ),
    "the number in another unit": csv(
        "a,b,y\n" + "".join(f"{row % 7},{row * 1.8 + 32!r},{row}\n" for row in range(-20, 40)),
        errors.LeakageError,
        "'b'",
        task="regression",
        label="y",
    ),
    # What is asked of the columns.
    "no such column to drop": csv(
        CSV, errors.ColumnNotFoundError, "source.drop", "'z'", drop=("z",)
    ),
    "no such column to rename": csv(
        CSV, errors.ColumnNotFoundError, "source.rename", "'z'", rename={"z": "y"}
    ),
    "no such categorical column": csv(
        CSV, errors.ColumnNotFoundError, "'class'", categorical=("class",)
    ),
    "renamed onto another": csv(CSV, errors.DuplicateColumnError, "'b'", rename={"a": "b"}),
    "label dropped": csv(CSV, errors.LabelNotFoundError, "'class'", drop=("class",)),
    "dropped and renamed": csv(
        CSV,
        errors.ContradictionError,
        "'a'",
        "Set source.rename to {}.",
        drop=("a",),
        rename={"a": "x"},
    ),
    "every feature dropped": csv(CSV, errors.NoFeaturesError, "only", drop=("a", "b")),
    "too many categories": csv(
        "a,class\n" + "".join(f"v{row},{'xy'[row % 2]}\n" for row in range(1001)),
        errors.TooManyCategoriesError,
        "1,000 values",
        "source.drop",
        positive="x",
        categorical=("a",),
    ),
    "category missing": csv(
        CSV + "?,1,Normal\n", errors.MissingValueError, "line 42", categorical=("a",)
    ),
    "category undeclared": header(
        "@relation r\n@attribute a {0,1}\n@attribute b real\n@attribute class {Abnormal,Normal}",
        errors.UndeclaredValueError,
        "'2'",
        categorical=("a",),
    ),
    "leak": csv(
        "a,b,class\n" + "1,1,x\n2,1,y\n" * 40,
        errors.LeakageError,
        "'a'",
        "source.allow_leakage",
        positive="x",
    ),
    "almost a leak": csv(
        "a,b,class\n"
        + "".join(
            f"{row * 7 % 13},{row % 2 + row / 1900!r},{'xy'[row % 2]}\n" for row in range(950)
        ),
        errors.LeakageError,
        "column 'b': the feature alone nearly tells the label",
        "at least 0.99",
        '{"source": {"drop": ["b"]}}',
        positive="x",
    ),
    "identifier of sorted rows": csv(
        "id,b,class\n" + "".join(f"{row},{row * 7 % 13},{'xy'[row > 40]}\n" for row in range(80)),
        errors.LeakageError,
        "'id'",
        "identifier",
        "source.allow_leakage",
        positive="x",
    ),
    "every row twice": csv(
        "a,b,class\n" + ROWS * 2,
        errors.RepeatedRowsError,
        "of the test part",
        "source.allow_duplicates",
    ),
    "two texts and a gap": csv(
        "a,b,c,class\n" + "".join(f"x{row % 3},{row},,{'xy'[row % 2]}\n" for row in range(40)),
        errors.NotANumberError,
        "'a'",
        "Also: line 2, column 'c': the value is missing",
        '{"source": {"categorical": ["a"], "missing": "pass"}}',
        positive="x",
    ),
    "infinite for 32 bits": csv(
        CSV + "1,1e39,Normal\n", errors.NotFiniteError, "line 42", "'b'", "3.4e38"
    ),
    "thousands": csv(
        CSV + '1,"1,234",Normal\n', errors.NotANumberError, "'1,234'", "without the commas"
    ),
    "rare and not to be": csv(
        "a,class\n" + "1,x\n2,y\n" * 4,
        errors.OneClassError,
        "every class is rarer",
        task="multiclass",
        rare_classes="drop",
    ),
    "no label at all": csv(
        "a,class\n1,\n2,\n", errors.NoRowsError, "no row has a label", missing_label="drop"
    ),
    "missing label passed": csv(CSV + "1,1,\n", errors.MissingValueError, missing="pass"),
    "nonsense among missing": csv(
        CSV + "abc,,Normal\n", errors.NotANumberError, "line 42", missing="pass"
    ),
    "infinite among missing": csv(
        CSV + "inf,,Normal\n", errors.NotFiniteError, "line 42", missing="pass"
    ),
    "no row of the positive": csv(
        CSV, errors.PositiveNotFoundError, "'Other'", positive="Other", rest=True
    ),
    # Formats told beforehand.
    "not the delimiter": csv(CSV, errors.DelimiterError, "only column", delimiter=";"),
    "headerless and ragged": csv(
        "1,2,x\n1,2\n",
        errors.RaggedRowError,
        "line 2",
        "the first has 3",
        header=False,
        label="column_3",
    ),
    "headerless label": csv(
        "1,2,x\n1,2,y\n", errors.LabelNotFoundError, "'column_3'", header=False
    ),
    "csv said to be arff": csv(CSV, errors.ArffHeaderError, "line 1", kind="arff"),
    "arff said to be csv": Bad(
        ARFF.encode(), "x.arff", errors.DelimiterError, ("line 1",), {"kind": "csv"}
    ),
    **bad_parquet.BAD,
    **bad_records.BAD,
    **bad_workbook.BAD,
    **bad_joined.BAD,
    # The request.
    "seed": csv(CSV, errors.FractionsError, "split.seed is -1", seed=-1),
}
