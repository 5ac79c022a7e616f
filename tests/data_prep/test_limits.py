"""A file at its limit is taken, and one beyond it is refused, whichever way it is prepared."""

import pytest

from data_prep import Limits
from data_prep.limits import check_row_count
from tests.data_prep.support import BULK, STREAMED, Machines, errors, run

TEXT = "a,class\n" + "".join(f"{n},{'xy'[n % 2]}\n" for n in range(40))


def test_as_many_rows_as_are_allowed_are_taken_and_no_more() -> None:
    """The limit itself is within the limit."""
    check_row_count(3, 3)
    check_row_count(4, None)
    with pytest.raises(errors.TooLargeError, match="more than 3 rows"):
        check_row_count(4, 3)


@pytest.mark.parametrize("limits", [Limits(), BULK, STREAMED], ids=["small", "large", "streamed"])
@pytest.mark.parametrize("alone", [True, False], ids=["one machine", "several machines"])
def test_every_way_of_preparing_a_file_takes_the_same_number_of_rows(
    limits: Limits, alone: bool
) -> None:
    """The last row that is allowed is prepared with the others, and one row less is too few."""
    spread = None if alone else Machines()
    found = run(TEXT, "x.csv", positive="x", limits=limits._replace(rows=40), spread=spread)
    assert sum(found.counts.values()) == 40
    with pytest.raises(errors.TooLargeError, match="more than 39 rows"):
        run(TEXT, "x.csv", positive="x", limits=limits._replace(rows=39), spread=spread)


@pytest.mark.parametrize("limits", [Limits(), BULK], ids=["small", "large"])
def test_a_file_may_have_as_many_bytes_as_are_allowed(limits: Limits) -> None:
    """Not one more."""
    size = len(TEXT.encode())
    assert run(TEXT, "x.csv", positive="x", limits=limits._replace(member_bytes=size)).files
    with pytest.raises(errors.TooLargeError):
        run(TEXT, "x.csv", positive="x", limits=limits._replace(member_bytes=size - 1))
