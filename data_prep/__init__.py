"""Preparing data: read, check, split, write. Pure: no AWS, no environment, no clock, no disk.

`prepare` does it all in memory, with the standard library only, for inputs a function can hold.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass

from . import check, read, split, write
from .errors import DataError
from .read import Limits, Member
from .split import Fractions, Parts
from .table import Classes, Table

__all__ = ["Classes", "DataError", "Fractions", "Limits", "Member", "Prepared", "Table", "prepare"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The outcome: the four files, and what there is to know about them.

    Attributes:
        member: The data file that was read.
        table: Its rows, checked.
        parts: The rows of each part.
        files: The four files' bytes, by path in the run's folder (see `write.files`).
    """

    member: Member
    table: Table
    parts: Parts
    files: Mapping[str, bytes]

    @property
    def counts(self) -> dict[str, int]:
        """Number of rows in each part."""
        return {part: len(rows) for part, rows in self.parts._asdict().items()}

    @property
    def positives(self) -> dict[str, int]:
        """Number of rows labelled 1 in each part."""
        labels = self.table.labels
        return {
            part: sum(map(labels.__getitem__, rows)) for part, rows in self.parts._asdict().items()
        }


def prepare(
    source: io.BufferedIOBase,
    *,
    name: str,
    member: str | None = None,
    sha256: str | None = None,
    label: str = "class",
    positive: str = "Abnormal",
    fractions: Fractions | None = None,
    seed: int = 42,
    limits: Limits | None = None,
) -> Prepared:
    """Turn a file into the four CSV files of a run.

    Args:
        source: The file, seekable: a zip, a gzip, ARFF or CSV. It is left open.
        name: Its name, the last part of its address.
        member: The member of a zip to read; see `read.member` for what happens without it.
        sha256: The SHA-256 the data file must have, unpacked.
        label: Name of the label's column.
        positive: The label's value that becomes 1; the other one becomes 0.
        fractions: The parts' shares; 0.8, 0.1 and 0.1 when left out.
        seed: Seed of the split, 0 to 2**32 - 1.
        limits: What is refused for its size.

    Raises:
        DataError: One of its classes: the input is refused. The message says where and what to do.
    """
    limits = limits or Limits()
    chosen = read.member(source, name=name, wanted=member, sha256=sha256, limits=limits)
    table = check.table(read.rows(chosen), label=label, positive=positive, most_rows=limits.rows)
    parts = split.three_way(table.labels, fractions or Fractions(), seed)
    return Prepared(chosen, table, parts, write.files(table, parts))
