"""Numbers with a decimal comma, and with marks between thousands."""

import pytest

from data_prep.numerals import Numerals
from data_prep.values import NotANumberError


@pytest.mark.parametrize(
    ("decimal", "thousands", "text", "plain"),
    [
        (",", None, "-1,5", "-1.5"),
        (",", None, ",5e-3", ".5e-3"),
        (",", ".", "1.234.567,8", "1234567.8"),
        (",", ".", "1234,8", "1234.8"),
        (",", " ", "1\u202f234,8", "1234.8"),
        (".", ",", "+12,345.60", "+12345.60"),
        (".", "'", "1'000", "1000"),
        (",", None, "7", "7"),
        (",", None, "?", "?"),
        (",", ".", "1,5,0", "1,5,0"),
        (".", ",", "1,23", "1,23"),
        (",", None, "nan", "nan"),
        (",", None, "", ""),
    ],
)
def test_numbers_become_those_of_python_and_all_else_stays(
    decimal: str, thousands: str | None, text: str, plain: str
) -> None:
    """Groups have three digits; what is no number is for the checks of values to refuse."""
    assert Numerals(decimal, thousands).plain([text], [1], "x") == [plain]


@pytest.mark.parametrize("text", ["1.5", "1.500", "1.23.456"])
def test_a_point_where_a_comma_is_the_sign_is_refused(text: str) -> None:
    """Python would read it as another number than it may mean."""
    with pytest.raises(NotANumberError, match="line 7, column 'x'"):
        Numerals(",").plain(["1,5", text], [6, 7], "x")
