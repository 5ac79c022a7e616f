"""Preparing a large file: blocks of lines, checked and written by pyarrow and numpy on every core.

The file is read twice, a block of whole lines at a time, so memory does not grow with it beyond a
few numbers for each row. The first pass checks every value and takes note of labels, ranges and
repeated rows; the second writes. Each block takes the quickest of three lanes that is proven to
give what the readers of small files give:

- lines: rows whose text already is what would be written (`plain`). Only the label is replaced.
- columns: values are parsed by pyarrow and formatted again.
- text: the readers and checks of small files themselves. What the others do not understand ends
  here, and is understood or refused with their words.

A row's text is kept in the first lane when each value is a plain decimal of at most 15 significant
digits without idle zeros: such a decimal is the shortest that reads back as the same float, which
is what Python's `repr` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from data_prep import check, profile
from data_prep.bulk import blocks, split
from data_prep.bulk.arrow import Array
from data_prep.bulk.blocks import Block
from data_prep.bulk.surveyed import Surveyed
from data_prep.bulk.work import Work
from data_prep.bulk.writer import Opener, Text, Writer
from data_prep.options import Format, Wanted
from data_prep.profile import Feature
from data_prep.read import Examination, Limits, NotExaminedError, opened
from data_prep.split import Fractions, Parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data_prep.spread import Spread


class Outcome(NamedTuple):
    """A checked file, ready to be written.

    Attributes:
        features: What the profile tells of each.
        labels: The number of each row's class; 0 for a regression.
        classes: The label's values by these numbers; empty for a regression.
        target: What the profile tells of a regression's label; None for classes.
        duplicates: Rows that repeat an earlier one, label included.
        rows: Row numbers of train, test and validate.
        exact: Whether rows are written in the order of `rows`; else in the order of the file.
        write: Writes the four files to what a function opens for each path.
    """

    features: tuple[Feature, ...]
    labels: NDArray[np.uint8]
    classes: tuple[str, ...]
    target: dict[str, Any] | None
    duplicates: int
    rows: tuple[split.Rows, split.Rows, split.Rows]
    exact: bool
    write: Callable[[Opener], None]

    def class_counts(self) -> dict[str, list[int]]:
        """Count the rows of each class in each part; nothing for a regression."""
        if self.target is not None:
            return {}
        counts = split.class_counts(self.labels, self.rows, len(self.classes))
        return dict(zip(Parts._fields, counts, strict=True))


def prepare(
    found: Examination,
    form: Format,
    wanted: Wanted,
    fractions: Fractions,
    seed: int,
    limits: Limits,
    spread: Spread | None = None,
) -> Outcome:
    """Check a whole file and split it.

    Args:
        found: The file, some of it examined; the rest is while its rows are checked.
        form: How it is written.
        wanted: What becomes of the columns.
        fractions: The parts' shares.
        seed: Of the split.
        limits: Most rows, and how large a file is shuffled in memory.
        spread: Several machines to do it on; then rows are written in the order of the file.

    Raises:
        DataError: One of its classes: the input is refused.
    """
    leader, text = None, None
    if spread is not None or found.encoding is None:
        # The blocks are taken from elsewhere.
        found.finish()
    try:
        work = _opened(found, form, wanted)
        if spread is not None:
            from data_prep.spread import Leader

            leader = Leader(work, found.size, spread)
        elif work.in_place and found.packed_size <= limits.exact_bytes:
            text = Text(limits.exact_bytes)
        surveyed = _survey(work, limits, text) if leader is None else leader.survey(limits)
    except Exception:
        # What is wrong with the file as a whole comes first.
        found.finish()
        raise
    exact = found.size <= limits.exact_bytes and leader is None
    labels, classes, target = _numbered(work, surveyed, wanted)
    writer = Writer(work, surveyed, labels, len(classes), text)
    with ThreadPoolExecutor(2) as pool:
        # What numpy does at once for all rows goes on without the interpreter's lock, which
        # dealing out the rows holds.
        duplicates = pool.submit(surveyed.count_duplicates)
        ready = pool.submit(writer.get_ready) if exact else None
        if target is None:
            parts = split.three_way(labels, fractions, seed, classes, ordered=exact)
        else:
            parts = split.unstratified_three_way(len(labels), fractions, seed)
    features = surveyed.features()
    profile.check_leakage(features, wanted.label, allowed=wanted.allow_leakage)
    if ready is not None:
        ready.result()
    write: Callable[[Sequence[Array], Opener], None]
    if leader is not None:
        write = partial(leader.write, writer)
    else:
        write = writer.shuffled if exact else writer.in_file_order
    return Outcome(
        features,
        labels,
        classes,
        target,
        duplicates.result(),
        parts,
        exact,
        lambda opener: write(parts, opener),
    )


def _numbered(
    work: Work, surveyed: Surveyed, wanted: Wanted
) -> tuple[NDArray[np.uint8], tuple[str, ...], dict[str, Any] | None]:
    """Number the labels: those of all rows, the classes, and a regression's target."""
    if work.regression:
        return np.zeros(len(surveyed.labels), np.uint8), (), surveyed.target()
    numbers, classes = surveyed.labels.numbered(wanted)
    return np.frombuffer(numbers, np.uint8), classes, None


def _opened(found: Examination, form: Format, wanted: Wanted) -> Work:
    try:
        return Work(opened(found, form), wanted)
    except NotExaminedError:
        # The header is longer than what was kept of the file.
        found.finish()
        return Work(opened(found, form), wanted)


def _survey(work: Work, limits: Limits, text: Text | None) -> Surveyed:
    surveyed = Surveyed(work)

    def placed() -> Iterator[Block]:
        if text is None:
            yield from work.blocks(first=True)
        else:
            yield from map(text.place, work.blocks(first=True, put=text.put))

    with ThreadPoolExecutor(blocks.WORKERS) as pool:
        for found in blocks.in_order(pool, work.survey, placed()):
            surveyed.take(found)
            if text is not None and text.whole:
                text.blocks.append(found.kept)
            check.check_row_count(len(surveyed.labels), limits.rows)
    return surveyed
