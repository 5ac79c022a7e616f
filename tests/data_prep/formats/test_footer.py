"""The footer of a Parquet file is refused where it is too large, or contradicts itself."""

import io

import pytest

from data_prep.errors import DamagedArchiveError, TooLargeError
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
