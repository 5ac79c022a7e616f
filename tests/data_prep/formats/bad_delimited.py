"""Bad files of CSV and its kin."""

from tests.data_prep.building import CSV, LONG_NUMBER, arff, csv
from tests.data_prep.support import errors

BAD = {
    "no header": csv("1,2.5,Normal\n2,3.5,Abnormal\n", errors.HeaderMissingError, "'1'", "on top"),
    "blank lines": csv("\n  \n", errors.NoRowsError, "blank"),
    "header only": csv("a,b,class\n", errors.NoRowsError, "no row"),
    "bars between": csv("a|b|class\n1|2|Normal\n", errors.DelimiterError, "line 1", "tab"),
    "words of one column": csv(
        "the city\nNew York\nParis\n", errors.DelimiterError, "line 1", "'the city'"
    ),
    "no header of texts": csv(
        "x,y,yes\nx,z,no\nx,y,no\n", errors.HeaderMissingError, "line 1", "'x'"
    ),
    "no header, of texts and a number": csv(
        "20, Bachelors, West, yes\n30, Masters, West, no\n", errors.HeaderMissingError, "'West'"
    ),
    "numbers as names": csv(
        "0,1,2\n0.5,1.5,2.5\n", errors.HeaderMissingError, "source.format.header to true"
    ),
    "no header, with one": csv(
        CSV, errors.HeaderFoundError, "line 1", "'a', 'b'", "source.format.names", header=False
    ),
    "no header, with numbers as one": csv(
        "0,1,2\n0.5,1.5,2.5\n", errors.HeaderFoundError, "'0', '1', '2'", header=False
    ),
    "names for other columns": csv(
        "1,2.5,Normal\n", errors.ColumnNamesError, "2 names", "3 columns", names=("a", "b")
    ),
    "a number said to be missing": csv(
        CSV + "-999,1,Normal\n", errors.MissingValueError, "line 42", "'a'", na_values=("-999",)
    ),
    "a decimal point where commas are": csv(
        'a;class\n"1,5";x\n1.500;y\n',
        errors.NotANumberError,
        "line 3",
        "'1.500'",
        "source.format.thousands",
        decimal=",",
    ),
    "csv quote": csv(CSV + '"1,2,Normal\n', errors.QuotingError, '""'),
    "csv text after quote": csv(CSV + '"1"2,2,Normal\n', errors.QuotingError, "line 42"),
    "csv quote in header": csv('"a,b,class\n1,2,3\n', errors.QuotingError, "do not pair"),
    "csv short row": csv(CSV + "1,2\n", errors.RaggedRowError, "line 42", "2 values", "3"),
    "csv long row": csv(CSV + "1,2,3,Normal\n", errors.RaggedRowError, "line 42", "','"),
    "line after a quoted break": csv(
        'a,b,class\n1,2,"Nor\nmal"\n1,2\n', errors.RaggedRowError, "line 4"
    ),
    "unnamed": csv(
        CSV.replace("a,b", ",b", 1), errors.UnnamedColumnError, "column 1 of 3", "index"
    ),
    "csv duplicate": csv(CSV.replace("a,b", "a, a", 1), errors.DuplicateColumnError, "'a'"),
    "csv missing": csv(CSV + "1,,Normal\n", errors.MissingValueError, "line 42", "'b'"),
    "csv NA": csv(CSV + "NA,1,Normal\n", errors.MissingValueError, "line 42", "'NA'"),
    "csv nan": csv(CSV + "nan,1,Normal\n", errors.MissingValueError, "'a'"),
    "csv missing label": csv(CSV + "1,1,\n", errors.MissingValueError, "line 42", "'class'"),
    "label called None": csv(CSV + "1,1,None\n", errors.MissingValueError, "rename the class"),
    "text": csv(CSV + "1,abc,Normal\n", errors.NotANumberError, "line 42", "'b'", "'abc'"),
    "decimal comma": csv(
        'a;class\n1,5;x\n"2,5";y\n', errors.NotANumberError, "line 2", "'1,5'", "point"
    ),
    "hexadecimal": csv(CSV + "0x1F,1,Normal\n", errors.NotANumberError, "'0x1F'"),
    "infinity": csv(CSV + "1,-inf,Normal\n", errors.NotFiniteError, "line 42", "'b'", "'-inf'"),
    "too large a number": csv(CSV + "1,1e999,Normal\n", errors.NotFiniteError, "1.8e308"),
    "too long a number": csv(CSV + f"1,{LONG_NUMBER},Normal\n", errors.NotFiniteError, "..."),
    "arabic digits": csv(CSV + "١٢,1,Normal\n", errors.ForeignDigitsError, "line 42", "0 to 9"),
    "full-width digits": arff("1,\uff11,Normal\n", errors.ForeignDigitsError, "line 8", "'b'"),
    "underscore": csv(CSV + "1_0,1,Normal\n", errors.DigitSeparatorError, "line 42", "'1_0'"),
    "arff underscore": arff("1,1_0.5,Normal\n", errors.DigitSeparatorError, "line 8", "'b'"),
}
