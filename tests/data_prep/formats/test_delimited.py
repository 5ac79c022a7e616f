"""Delimited text is read as pandas reads it."""

import pytest

from tests.data_prep.support import opened_whole


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b,class\n1,2,x\n", ("a", "b", "class")),
        ("a;b;class\n1;2;x\n", ("a", "b", "class")),
        ("a\tb\tclass\n1\t2\tx\n", ("a", "b", "class")),
        ('"a,1","b;2",class\n1,2,x\n', ("a,1", "b;2", "class")),
        ("a (x, y);b;class\n1;2;x\n", ("a (x, y)", "b", "class")),
    ],
)
def test_the_delimiter_is_found(text: str, names: tuple[str, ...]) -> None:
    """Comma, semicolon or tab: the one that splits header and rows alike."""
    assert opened_whole(text, "x.csv").rows.names == names
