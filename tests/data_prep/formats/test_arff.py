"""ARFF is read as Weka and scipy read it."""

import io

from data_prep import prepare
from tests.data_prep.formats.samples import ARFF
from tests.data_prep.support import opened_whole


def test_arff_notation_in_full() -> None:
    """Comments, case, quotes, escapes, ranges and blanks are read as Weka reads them."""
    text = r"""
% a comment
@RELATION 'a relation'   % and more
  @Attribute 'the age' INTEGER [0, 120]
@attribute "it's" Real % a trailing comment
@attribute plain_name{'yes, sure', "no", 'it\'s'}
@DATA % now
% between
  '1' ,	2.5,  "no"

3,-4e-2,'yes, sure'
5,6,'it\'s'
"""
    opened = opened_whole(text, "x.arff")
    rows = opened.rows
    assert rows.names == ("the age", "it's", "plain_name")
    assert rows.nominal == {"plain_name": ("yes, sure", "no", "it's")}
    (batch,) = opened.batches()
    assert [[value.strip() for value in row] for row in batch.rows] == [
        ["1", "2.5", "no"],
        ["3", "-4e-2", "yes, sure"],
        ["5", "6", "it's"],
    ]
    assert batch.lines == [9, 11, 12]


def test_arff_rows_may_be_separated_by_tabs() -> None:
    """As in scipy, tabs separate values when the first row has no comma."""
    tabs = ARFF.replace(",A", "\tA").replace(",N", "\tN").replace("{Abnormal\tN", "{Abnormal,N")
    assert prepare(io.BytesIO(tabs.encode()), name="x.arff").files == (
        prepare(io.BytesIO(ARFF.encode()), name="x.arff").files
    )
