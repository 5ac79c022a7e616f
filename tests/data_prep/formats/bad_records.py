"""Bad files of JSON and of LIBSVM's format."""

from tests.data_prep.building import Bad
from tests.data_prep.support import errors

BAD = {
    "json cut": Bad(
        b'{"a": 1, "class": "x"}\n{"a": 1', "x.jsonl", errors.MalformedJsonError, ("line 2", "list")
    ),
    "json of nested values": Bad(
        b'{"a": [1], "class": "x"}\n',
        "x.jsonl",
        errors.UnsupportedTypeError,
        ("line 1", "'a'", "source.drop"),
    ),
    "json of one long object": Bad(
        b'[{"a": "' + b"x" * (1 << 20) + b'"}]', "x", errors.LineTooLongError, ("object",)
    ),
    "libsvm backwards": Bad(
        b"1 2:1 1:1\n", "x.svm", errors.SparseDataError, ("line 1", "'1:1'", "rising")
    ),
    "libsvm of no numbers": Bad(b"1 a:b\n", "x.svm", errors.SparseDataError, ("'a:b'",)),
    "libsvm of several labels": Bad(b"1,2 1:1\n", "x.svm", errors.SparseDataError, ("one label",)),
    "libsvm of queries": Bad(
        b"1 qid:1 1:1\n", "x.svm", errors.UnsupportedTypeError, ("line 1", "rank")
    ),
    "libsvm without features": Bad(b"1 # x\n", "x.svm", errors.NoRowsError, ("no features",)),
    "libsvm of a far feature": Bad(
        b"1 999999999:1\n", "x.svm", errors.TooLargeError, ("few are written",)
    ),
}
