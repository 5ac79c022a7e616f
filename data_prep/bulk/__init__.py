"""Preparing a large file: blocks of lines, checked and written by pyarrow and numpy on every core.

The file is read twice, a block of whole lines at a time, so memory does not grow with it beyond a
few numbers for each row. The first pass checks every value and takes note of labels, ranges and
repeated rows; the second writes. Each block takes the quickest lane (`lanes`) that is proven to
give what the readers of small files give.

A row's text is copied when each value is a plain decimal of at most 15 significant
digits without idle zeros: such a decimal is the shortest that reads back as the same float, which
is what Python's `repr` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from data_prep import formats, leaks
from data_prep.bulk import blocks, lanes, split
from data_prep.bulk.arrow import Array
from data_prep.bulk.blocks import Block, blocks_of
from data_prep.bulk.lanes.base import Survey
from data_prep.bulk.schema import Schema
from data_prep.bulk.surveyed import Surveyed
from data_prep.bulk.writer import Opener, Text, Writer
from data_prep.formats.base import Opened
from data_prep.limits import Limits, check_row_count
from data_prep.options import FormatOptions, Wanted
from data_prep.profile import Feature
from data_prep.source.examination import Examination
from data_prep.split import Fractions, Parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data_prep.source.parts import Collection
    from data_prep.spread import Spread


class Outcome(NamedTuple):
    """A checked file, ready to be written.

    Attributes:
        features: What the profile tells of each.
        labels: The number of each row's class; 0 for a regression.
        classes: The label's values by these numbers; empty for a regression.
        target: What the profile tells of a regression's label; None for classes.
        duplicates: Rows that repeat an earlier one, label included.
        findings: What a sample of the rows told.
        dropped: How many rows were left out, by their label.
        rows: Row numbers of train, test and validate.
        exact: Whether rows are written in the order of `rows`; else in the order of the file.
        write: Writes the four files to what a function opens for each path.
    """

    features: tuple[Feature, ...]
    labels: NDArray[np.uint8]
    classes: tuple[str, ...]
    target: dict[str, Any] | None
    duplicates: int
    findings: list[leaks.Finding]
    dropped: dict[str, int]
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
    found: Examination | Collection,
    format_options: FormatOptions,
    wanted: Wanted,
    fractions: Fractions,
    seed: int,
    limits: Limits,
    spread: Spread | None = None,
) -> Outcome:
    """Check a whole file and split it.

    Args:
        found: The file, some of it examined; the rest is while its rows are checked.
        format_options: How it is written.
        wanted: What becomes of the columns.
        fractions: The parts' shares.
        seed: Of the split.
        limits: Most rows, and how large a file is shuffled in memory.
        spread: Several machines to do it on; then rows are written in the order of the file.

    Raises:
        DataError: One of its classes: the input is refused.
    """
    leader, text = None, None
    kind = formats.recognised(found, format_options.kind)
    if spread is not None or kind.reads_from_end:
        # The blocks are taken from elsewhere.
        found.finish()
    try:
        opened = formats.opened(found, format_options)
        schema = Schema.of(opened, wanted)
        if spread is not None:
            from data_prep.bulk.leader import Leader

            leader = Leader(opened, schema, found.size, spread)
        elif schema.is_in_place and found.packed_size <= limits.exact_bytes:
            text = Text(limits.exact_bytes)
        surveyed = (
            _survey(opened, schema, limits, text) if leader is None else leader.survey(limits)
        )
    except Exception:
        # What is wrong with the file as a whole comes first.
        found.finish()
        raise
    # Whether or not the format's reader has read on to the end.
    found.finish()
    # A packed file's rows are as large as their text.
    size = surveyed.size if kind.is_packed else found.size
    exact = size <= limits.exact_bytes and leader is None
    labels, classes, target = _numbered(schema, surveyed, wanted, fractions.fewest)
    writer = Writer(schema, partial(blocks_of, opened), surveyed, labels, len(classes), text)
    with ThreadPoolExecutor(2) as pool:
        # What numpy does at once for all rows goes on without the interpreter's lock, which
        # dealing out the rows holds.
        duplicates = pool.submit(surveyed.count_duplicates)
        ready = pool.submit(writer.get_ready) if exact else None
        if target is None:
            drops = bool(surveyed.labels.dropped)
            parts = split.three_way(labels, fractions, seed, classes, ordered=exact, drops=drops)
        else:
            parts = split.unstratified_three_way(len(labels), fractions, seed)
    features = surveyed.features()
    sample = surveyed.sample()
    findings = leaks.findings(features, sample, wanted, len(labels))
    if duplicates.result():
        counts = {name: len(rows) for name, rows in zip(Parts._fields, parts, strict=True)}
        of_rows = leaks.of_rows(surveyed.shared(parts), counts, sample)
        findings += [] if of_rows is None else [of_rows]
    leaks.check(findings, features, wanted)
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
        findings,
        dict(surveyed.labels.dropped),
        parts,
        exact,
        lambda opener: write(parts, opener),
    )


def _numbered(
    schema: Schema, surveyed: Surveyed, wanted: Wanted, fewest: int
) -> tuple[NDArray[np.uint8], tuple[str, ...], dict[str, Any] | None]:
    """Number the labels: those of all rows, the classes, and a regression's target."""
    if schema.is_regression:
        return np.zeros(len(surveyed.labels), np.uint8), (), surveyed.target()
    numbers, classes = surveyed.labels.numbered(wanted, fewest=fewest)
    return np.frombuffer(numbers, np.uint8), classes, None


def _survey(opened: Opened, schema: Schema, limits: Limits, text: Text | None) -> Surveyed:
    surveyed = Surveyed(schema)
    # Once a block holds something besides decimal numbers and labels, the next will, too.
    decimal = schema.is_decimal

    def jobs() -> Iterator[tuple[Block, bool]]:
        if text is None:
            found = blocks_of(opened, first=True)
        else:
            found = map(text.place, blocks_of(opened, first=True, put=text.put))
        for block in found:
            surveyed.size += len(block.data)
            yield block, decimal

    def survey(job: tuple[Block, bool]) -> Survey:
        block, decimal = job
        return lanes.survey(schema, block, decimal=decimal)

    with ThreadPoolExecutor(blocks.WORKERS) as pool:
        for found in blocks.in_order(pool, survey, jobs()):
            decimal = decimal and found.is_decimal
            surveyed.take(found)
            if text is not None and text.whole:
                text.blocks.append(found.relabelled)
            check_row_count(len(surveyed.labels), limits.rows)
    return surveyed
