"""Bad files of ARFF."""

from tests.data_prep.building import HEAD, Bad, arff, header
from tests.data_prep.support import errors

BAD = {
    "not a declaration": header(HEAD + "oops", errors.ArffHeaderError, "line 5", "'oops'"),
    "misspelt": header("@atribute a real\n" + HEAD, errors.ArffHeaderError, "line 1"),
    "no type": header(HEAD + "@attribute c", errors.ArffHeaderError, "line 5", "'c'", "numeric"),
    "unknown type": header(HEAD + "@attribute c blob", errors.ArffHeaderError, "'blob'"),
    "unclosed name": header(HEAD + "@attribute 'c real", errors.ArffHeaderError, "line 5"),
    "unclosed values": header(HEAD + "@attribute c {a,b", errors.ArffHeaderError, "'c'"),
    "repeated value": header(HEAD + "@attribute c {a,a}", errors.ArffHeaderError, "repeated"),
    "empty value": header(HEAD + "@attribute c {a,}", errors.ArffHeaderError, "empty"),
    "no attribute": header("@relation r", errors.ArffHeaderError, "@attribute age numeric"),
    "no @data": Bad(HEAD.encode(), "x.arff", errors.ArffDataMissingError, ("@data",)),
    "string": header(
        HEAD + "@attribute s STRING", errors.UnsupportedTypeError, "line 5", "'s'", "string"
    ),
    "date": header(
        HEAD + "@attribute d date 'yyyy-MM-dd'", errors.UnsupportedTypeError, "'d'", "date"
    ),
    "relational": header(
        HEAD + "@attribute g relational", errors.UnsupportedTypeError, "relational"
    ),
    "sparse not closed": arff("{0 1, 2 Normal\n", errors.SparseDataError, "line 8", "brace"),
    "sparse index": arff("{0 1, 3 Normal}\n", errors.SparseDataError, "'3 Normal'", "below 3"),
    "sparse order": arff("{1 1, 0 2}\n", errors.SparseDataError, "'0 2'", "rising"),
    "sparse text": arff("{a 1}\n", errors.SparseDataError, "'a 1'", "dense"),
    "sparse weight": arff("{0 1}, {5}\n", errors.SparseDataError, "line 8"),
    "sparse value": arff("{0 x, 2 Normal}\n", errors.NotANumberError, "line 8", "'x'"),
    "sparse label": arff("{2 Odd}\n", errors.UndeclaredValueError, "line 8", "'Odd'"),
    "undeclared": arff("1,2,Odd\n", errors.UndeclaredValueError, "line 8", "'Odd'", "'Normal'"),
    "case of a value": arff("1,2,normal\n", errors.UndeclaredValueError, "'normal'"),
    "arff short row": arff("1,Normal\n", errors.RaggedRowError, "line 8", "2 values", "3"),
    "arff long row": arff("1,2,3,Normal\n", errors.RaggedRowError, "4 values"),
    "weight": arff("1,2,Normal,{5}\n", errors.RaggedRowError, "line 8"),
    "arff quote": arff("1,2,'Normal\n", errors.QuotingError, "line 8", "'Normal"),
    "arff blank before quote": arff("1,2,  'Normal\n", errors.QuotingError, "line 8"),
    "arff text after quote": arff("'1'2,2,Normal\n", errors.QuotingError, "line 8"),
    "arff missing": arff("1,?,Normal\n", errors.MissingValueError, "line 8", "'b'", "Fill"),
    "arff missing label": arff("1,2,?\n", errors.MissingValueError, "line 8", "'class'"),
    "arff no rows": Bad(f"{HEAD}@data\n% none\n".encode(), "x.arff", errors.NoRowsError, ("Add",)),
    "arff nan": arff("nan,2,Normal\n", errors.NotFiniteError, "line 8", "'a'", "'nan'"),
    "nominal feature": header(
        HEAD + "@attribute c {x,y}", errors.NominalFeatureError, "'c'", "nominal"
    ),
    "arff duplicate": header(HEAD + "@attribute a real", errors.DuplicateColumnError, "'a'"),
    "numeric label of text": Bad(
        b"@attribute x real\n@attribute class real\n@data\n1,1\n2,one\n",
        "x.arff",
        errors.NotANumberError,
        ("line 5", "'one'"),
    ),
}
