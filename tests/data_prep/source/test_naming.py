"""Which of several files are read as one, and what their folders say."""

import pytest

from data_prep.source import naming
from tests.data_prep.support import errors


def test_hidden_files_and_markers_are_no_data() -> None:
    """Nor what lies below folders of such names; a key may begin so."""
    names = [
        "a.csv",
        "_SUCCESS",
        ".a.crc",
        "_temporary/0/b.csv",
        ".git/x",
        "k/_c.csv",
        "_k=1/d.csv",
    ]
    assert naming.chosen(names, "*") == ["_k=1/d.csv", "a.csv"]


def test_a_pattern_names_files_in_the_order_of_their_names() -> None:
    """A folder stands for all below it; letters' case counts."""
    names = ["b/2.csv", "b/10.csv", "a.CSV", "a.csv", "b/x/3.csv"]
    assert naming.chosen(names, "*.csv") == ["a.csv", "b/10.csv", "b/2.csv", "b/x/3.csv"]
    assert naming.chosen(names, "b/") == ["b/10.csv", "b/2.csv", "b/x/3.csv"]


def test_folders_of_keys_are_columns_as_hive_writes_them() -> None:
    """Escapes are undone; a key without a value has an empty one."""
    found = naming.keys_of("x/year=2024/a%3Db=c%2Fd/n=__HIVE_DEFAULT_PARTITION__/e=/f=g.csv")
    assert found == {"year": "2024", "a=b": "c/d", "n": "", "e": ""}


def test_too_many_files_are_refused() -> None:
    """A request is paid for each."""
    naming.check_count("x.zip", naming.MOST_PARTS)
    with pytest.raises(errors.TooLargeError, match="10,001 files"):
        naming.check_count("x.zip", naming.MOST_PARTS + 1)
