"""The footer of a Parquet file is refused where it is too large, or contradicts itself."""

import io

import pytest

from data_prep.errors import DamagedArchiveError, TooLargeError, UnsupportedTypeError
from data_prep.formats import footer
from tests.data_prep.formats import bombs, crafted
from tests.data_prep.formats.crafted import ROWS, several, struct, whole
from tests.data_prep.formats.test_crafted import HONEST, read
from tests.data_prep.support import run


def test_a_footer_is_measured_before_it_is_read() -> None:
    """By what its structs take in memory, not by its bytes."""
    content = bombs.chunks(400_000)
    with pytest.raises(ValueError, match="has 400000 columns, not 1"):
        footer.read("x", io.BytesIO(content), 1 << 30)
    with pytest.raises(TooLargeError, match="describes itself in 1,200,0"):
        footer.read("x", io.BytesIO(content), 256 << 20)
    with pytest.raises(DamagedArchiveError, match="longer than the file"):
        run(content[:4] + content[-1000:], "x.parquet")


def test_a_row_group_of_other_columns_than_the_schema_is_refused() -> None:
    """Before pyarrow's objects are asked for one that is not there: they end the process."""
    for elements, said in ((1, "3 columns, not 1"), (2, "3 columns, not 2")):
        with pytest.raises(DamagedArchiveError, match=said):
            read(HONEST, HONEST, elements=elements)


@pytest.mark.parametrize(
    "sizes",
    [(3, several(6, [b"\0"] * 3)), (2, several(6, [b"\0"] * 2)), (1, whole(5, 6))],
    ids=["definition levels", "repetition levels", "bytes of text"],
)
def test_counts_of_levels_that_a_column_does_not_have_are_refused(sizes: crafted.Field) -> None:
    """They end the process, too."""
    assert read(HONEST._replace(chunk=((16, struct((3, several(6, [b"\0"])))),))) == ROWS
    with pytest.raises(DamagedArchiveError, match="counts"):
        read(HONEST._replace(chunk=((16, struct(sizes)),)))


def test_a_column_of_another_type_than_the_schema_is_refused() -> None:
    """It would be measured as one, and read as the other."""
    with pytest.raises(DamagedArchiveError, match="schema's type"):
        read(HONEST._replace(described=6))


def test_a_file_whose_footer_is_encrypted_is_refused() -> None:
    """It ends in other letters, and says nothing that could be read."""
    content = crafted.file(HONEST)
    with pytest.raises(DamagedArchiveError, match="not encrypted"):
        run(content[:-4] + b"PARE", "x.parquet")


@pytest.mark.parametrize("without", [True, False], ids=["no metadata", "encrypted metadata"])
def test_a_column_whose_metadata_cannot_be_read_is_refused(without: bool) -> None:
    """It has none, or they are encrypted beside what is left in the clear."""
    encrypted = (8, struct((1, struct())))
    around = () if without else (encrypted,)
    with pytest.raises(DamagedArchiveError, match="'c1' is encrypted, or has no metadata"):
        read(HONEST._replace(around=around, without_metadata=without))


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ((3,), "its schema lacks elements"),
        ((1,), "its schema has elements that belong to none"),
        ((2, 2), "its schema lacks elements"),
        ((1, 1), "its schema has elements that belong to none"),
    ],
    ids=["too few", "too many", "too few in a group", "too many in a group"],
)
def test_a_schema_that_is_no_tree_is_refused(tree: tuple[int, ...], said: str) -> None:
    """Each element says how many of those after it are below it; it must come out even.

    The first number is the root's, one more makes a group in front of the columns.
    """
    content = crafted.file(HONEST, HONEST, tree=tree)
    with pytest.raises(DamagedArchiveError, match=said):
        run(content, "x.parquet", label="c0", positive="1")


def test_a_column_in_a_group_is_found_and_refused_by_its_type() -> None:
    """A struct of one column: the tree comes out even, and it is of a type that is not taken."""
    described = footer.read("x", io.BytesIO(crafted.file(HONEST, tree=(1, 1))), 1 << 30)
    assert [chunk.leaf.name for chunk in described.groups[0].chunks] == ["c0"]
    with pytest.raises(UnsupportedTypeError, match="column 'g': the column is of type"):
        run(crafted.file(HONEST, HONEST, tree=(2, 1)), "x.parquet", label="c1", positive="1")


def test_row_groups_of_another_number_of_rows_than_the_file_are_refused() -> None:
    """What a file says of its rows is what is checked against the limits."""
    with pytest.raises(DamagedArchiveError, match="row groups have 100 rows, not 99"):
        run(crafted.file(HONEST, said_rows=ROWS - 1), "x.parquet", label="c0", positive="1")


def test_a_column_of_no_codec_is_refused() -> None:
    """The number is beyond those that the format has."""
    with pytest.raises(DamagedArchiveError, match="or of no codec"):
        read(HONEST._replace(codec=8))


def test_a_footer_that_is_cut_is_refused() -> None:
    """It goes on beyond its own length, or its length is beyond the file."""
    content = crafted.file(HONEST)
    length = int.from_bytes(content[-8:-4], "little")
    for cut in (length // 2, length - 1):
        footer_of = content[-8 - length : -8][:cut]
        damaged = content[: -8 - length] + footer_of + cut.to_bytes(4, "little") + b"PAR1"
        with pytest.raises(DamagedArchiveError, match="is not a whole Parquet file"):
            run(damaged, "x.parquet", label="c0", positive="1")
