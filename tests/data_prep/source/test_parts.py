"""Several files, each read once: whole, within the limits, and placed when something is refused."""

import io

import pytest

from data_prep import DataError, Limits
from data_prep.source.parts import examine_several
from tests.data_prep.building import zipped
from tests.data_prep.support import errors


def test_files_are_measured_together() -> None:
    """Bytes, and those that are packed; the list's hash is that of `sha256sum`."""
    archive = zipped(("a.csv", "a,b\n"), ("b.csv", "1,2\n"), ("_c", "x"), ("d.csv", ""))
    found = examine_several(io.BytesIO(archive), name="x.zip", pattern="*")
    assert (found.size, found.packed_size) == (8, 8)
    assert found.ends_within(8)
    assert not found.ends_within(7)
    assert [part.name for part in found.member().parts] == ["a.csv", "b.csv"]


def test_together_they_are_held_to_the_limit_of_one() -> None:
    """Before the last of them is read."""
    archive = zipped(("a.csv", "x" * 60), ("b.csv", "x" * 60))
    with pytest.raises(errors.TooLargeError, match="100 bytes"):
        examine_several(
            io.BytesIO(archive), name="x.zip", pattern="*", limits=Limits(member_bytes=100)
        )


def test_a_refusal_that_names_no_line_stays_as_it_is() -> None:
    """It is of the table and of no file."""
    archive = zipped(("a.csv", "a,b\n"))
    found = examine_several(io.BytesIO(archive), name="x.zip", pattern="*")
    refusal = DataError("it is wrong", remedy="Mend it.")
    assert found.located(refusal) is refusal


def test_what_is_no_archive_has_no_members() -> None:
    """A pattern of a bare file is refused."""
    with pytest.raises(errors.MemberNotFoundError, match="no members"):
        examine_several(io.BytesIO(b"a,b\n1,2\n"), name="x.csv", pattern="*")
