"""What is refused for its size, and where one way of working ends and the next begins."""

from typing import NamedTuple

from data_prep.errors import TooLargeError


class Limits(NamedTuple):
    """What is refused for its size, and where one way of working ends and the next begins.

    Attributes:
        member_bytes: Largest data file, unpacked.
        rows: Most rows; each takes about 30 bytes while rows are dealt out.
        line_bytes: Longest line.
        ratio: Most times a member may be larger than its compressed form, once it has passed
            `ratio_from` bytes. Tables of numbers compress 2 to 20 times, deflate at most 1,032.
        ratio_from: Size below which a high ratio does no harm.
        decoded_bytes: Most bytes that the pages and dictionaries of a Parquet file may unpack to at
            one time.
        directory_bytes: Largest list of members of a zip file (about 100 bytes a member).
        small_bytes: Files up to this size are prepared with the standard library alone, which is
            quicker than importing more.
        exact_bytes: Files up to this size are written in the notebook's row order, shuffled in
            memory; larger ones have the same rows in each part, in the order of the file.
    """

    member_bytes: int = 8 << 30
    rows: int = 100_000_000
    line_bytes: int = 1 << 20
    ratio: int = 200
    ratio_from: int = 10 << 20
    decoded_bytes: int = 1 << 30
    directory_bytes: int = 4 << 20
    small_bytes: int = 2 << 20
    exact_bytes: int = 192 << 20


def check_row_count(count: int, most: int | None) -> None:
    """Refuse more rows than `most`.

    Raises:
        TooLargeError: There are.
    """
    if most is not None and count > most:
        raise TooLargeError(
            f"the file has more than {most:,} rows", remedy="Give a sample of its rows."
        )
