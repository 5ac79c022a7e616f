"""Preparing data: read, check, split, write. Pure: no AWS, no environment, no clock, no disk.

`prepare` reads small files with the standard library alone, which is quickest, and larger ones a
block at a time with pyarrow and numpy; both refuse the same inputs and write the same bytes.
"""

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from data_prep import check, formats, leaks, profile, split, write
from data_prep.errors import DataError
from data_prep.limits import Limits
from data_prep.options import FormatOptions, Objective, Task, Wanted
from data_prep.source import naming
from data_prep.source.examination import Examination, Member, examine
from data_prep.source.text import EncodingError
from data_prep.split import Fractions, Parts
from data_prep.table import DROPPED, Table

if TYPE_CHECKING:
    from data_prep.source.parts import Collection
    from data_prep.spread import Spread

__all__ = [
    "DataError",
    "FormatOptions",
    "Fractions",
    "Limits",
    "Member",
    "Objective",
    "Parts",
    "Prepared",
    "Table",
    "Task",
    "Wanted",
    "prepare",
]

# What is read ahead while the engine for large files is imported, and how much at once.
_AHEAD = 64 << 20
_PIECE = 8 << 20


class Prepared(NamedTuple):
    """The outcome: the four files, ready to be written, and what there is to know about them.

    Attributes:
        member: The data file that was read.
        features: What is known of each feature, in the order of the files' columns.
        label: The label column's name.
        task: What the label is for.
        classes: The label's values by the numbers written for them; empty for a regression.
        labels: The number of the class of each row of the file; empty for a regression.
        counts: Number of rows in each part.
        class_counts: Number of rows of each class in each part; empty for a regression.
        profile: The figures of `data_profile.json`.
        write_to: Writes the four files: given a path in the run's folder, a function opens what is
            written to.
    """

    member: Member
    features: tuple[profile.Feature, ...]
    label: str
    task: Task
    classes: tuple[str, ...]
    labels: bytes
    counts: dict[str, int]
    class_counts: dict[str, list[int]]
    profile: dict[str, Any]
    write_to: Callable[[Callable[[str], BinaryIO]], None]

    @property
    def positives(self) -> dict[str, int]:
        """Number of rows labelled 1 in each part, for a binary label."""
        return {part: counts[1] for part, counts in self.class_counts.items()}

    @property
    def files(self) -> dict[str, bytes]:
        """The four files' bytes in memory, by path in the run's folder."""
        found: dict[str, _Kept] = {}

        def opener(path: str) -> BinaryIO:
            found[path] = _Kept()
            return found[path]

        self.write_to(opener)
        return {path: file.content for path, file in sorted(found.items(), key=_listed)}


class _Kept(io.BytesIO):
    """A file in memory whose content outlives its closing."""

    content = b""

    def close(self) -> None:
        if not self.closed:
            self.content = self.getvalue()
        super().close()


def _listed(entry: tuple[str, object]) -> int:
    return write.PATHS.index(entry[0])


def prepare(
    source: io.BufferedIOBase,
    *,
    name: str,
    member: str | None = None,
    sha256: str | None = None,
    format_options: FormatOptions | None = None,
    wanted: Wanted | None = None,
    fractions: Fractions | None = None,
    seed: int = 42,
    limits: Limits | None = None,
    spread: "Spread | None" = None,
) -> Prepared:
    """Turn a file into the four CSV files of a run.

    Args:
        source: The file, seekable: a zip, a gzip, ARFF, CSV or Parquet. It is left open, and must
            stay so until the files are written.
        name: Its name, the last part of its address.
        member: The member of a zip to read; see `examine` for what happens without it. Several are
            read as one table where it ends with a slash or holds a *; see `source.naming`.
        sha256: The SHA-256 the data file must have, unpacked.
        format_options: How the file is written; found out when left out.
        wanted: The label, its positive value, and what becomes of the other columns; the
            notebook's when left out.
        fractions: The parts' shares; 0.8, 0.1 and 0.1 when left out.
        seed: Seed of the split, 0 to 2**32 - 1.
        limits: What is refused for its size.
        spread: Several machines to share the work out to. Then `write_to` opens the files of the
            test part only; the others are written where they are made, a file for each block.

    Raises:
        DataError: One of its classes: the input is refused. The message says where and what to do.
    """
    limits, wanted = limits or Limits(), wanted or Wanted()
    format_options, fractions = format_options or FormatOptions(), fractions or Fractions()
    split.check_seed(seed)
    found: Examination | Collection
    try:
        if naming.is_pattern(member):
            from data_prep.source.parts import examine_several

            found = examine_several(
                source,
                name=name,
                pattern=str(member),
                sha256=sha256,
                encoding=format_options.encoding,
                kind=format_options.kind,
                limits=limits,
            )
        else:
            found = examine(
                source,
                name=name,
                wanted=member,
                sha256=sha256,
                encoding=format_options.encoding,
                kind=format_options.kind,
                limits=limits,
            )
    except EncodingError as error:
        from data_prep import problems

        raise problems.of_encoding(error, format_options) from error
    while True:
        try:
            return _prepared_of(found, format_options, wanted, fractions, seed, limits, spread)
        except DataError as error:
            from data_prep import problems

            told = problems.told(error, found, format_options, wanted, fractions)
            texts = problems.columns_of_text(told, wanted) if wanted.encode_text else ()
            if not texts:
                raise found.located(told) from error
            wanted = wanted._replace(categorical=(*wanted.categorical, *texts))


def _prepared_of(
    found: "Examination | Collection",
    format_options: FormatOptions,
    wanted: Wanted,
    fractions: Fractions,
    seed: int,
    limits: Limits,
    spread: "Spread | None",
) -> Prepared:
    # What a packed file holds may be of any size.
    is_packed = found.binary is not None and found.binary.is_packed
    if spread is not None or is_packed or not found.ends_within(limits.small_bytes):
        return _large(found, format_options, wanted, fractions, seed, limits, spread)
    chosen, opened = found.member(), formats.opened(found, format_options)
    table = check.table(opened, wanted, fewest=fractions.fewest, most_rows=limits.rows)
    features, duplicates = profile.of_table(table)
    target = table.target
    if target is None:
        parts = split.three_way(
            table.labels, fractions, seed, table.classes, drops=bool(table.dropped)
        )
    else:
        parts = split.unstratified_three_way(table.rows, fractions, seed)
    sample = _sample(table)
    findings = leaks.findings(features, sample, wanted, table.rows)
    counts = {part: len(rows) for part, rows in parts._asdict().items()}
    if duplicates:
        of_rows = leaks.of_rows(_shared(table, parts), counts, sample)
        findings += [] if of_rows is None else [of_rows]
    leaks.check(findings, features, wanted)

    def write_to(opener: Callable[[str], BinaryIO]) -> None:
        for path, content in write.files(table, parts).items():
            with opener(path) as file:
                file.write(content)

    label_of = table.labels.__getitem__
    return _prepared(
        chosen,
        features,
        wanted,
        None
        if target is None
        else profile.of_target(min(target.values), max(target.values), integers=target.integers),
        table.classes,
        table.labels,
        counts,
        {
            part: _class_counts(bytes(map(label_of, rows)), len(table.classes))
            for part, rows in parts._asdict().items()
        }
        if target is None
        else {},
        profile.Noted(findings, duplicates, table.dropped),
        "shuffled",
        write_to,
    )


def _sample(table: Table) -> leaks.Sample:
    rows = leaks.chosen(table.lines, len(table.features))
    labels: Sequence[float] = table.labels if table.target is None else table.target.values
    if table.dropped:
        rows = [row for row in rows if table.labels[row] != DROPPED]
    columns = [[each.values[row] for row in rows] for each in table.features]
    return leaks.Sample(columns, [labels[row] for row in rows])


def _shared(table: Table, parts: Parts) -> dict[str, int]:
    """Count the rows of each part that is held out which the training part has, too."""
    labels: Sequence[float] = table.labels if table.target is None else table.target.values

    def key(row: int) -> tuple[Any, ...]:
        values = (column.values[row] for column in table.features)
        return (labels[row], *(None if value != value else value for value in values))

    trained = set(map(key, parts.train))
    return {
        "test": sum(key(row) in trained for row in parts.test),
        "validate": sum(key(row) in trained for row in parts.validate),
    }


def _class_counts(labels: bytes, classes: int) -> list[int]:
    return [labels.count(which) for which in range(classes)]


def _import_meanwhile(found: "Examination | Collection") -> None:
    """Import the engine for large files, as long as reading 100 MB takes, and read on meanwhile.

    Reading and hashing go on without the interpreter's lock, which an import mostly holds.
    """
    if "bulk" in globals():
        return
    import gc
    import threading

    def load() -> None:
        from data_prep import bulk  # noqa: F401 (imported again by who uses it)

        # What was imported stays: the garbage collector need not go through it again and again.
        gc.freeze()

    importing = threading.Thread(target=load)
    importing.start()
    try:
        while importing.is_alive() and found.size < _AHEAD and found.read_ahead(_PIECE):
            pass
    finally:
        importing.join()


def _large(
    found: "Examination | Collection",
    format_options: FormatOptions,
    wanted: Wanted,
    fractions: Fractions,
    seed: int,
    limits: Limits,
    spread: "Spread | None",
) -> Prepared:
    _import_meanwhile(found)
    from data_prep import bulk

    outcome = bulk.prepare(found, format_options, wanted, fractions, seed, limits, spread)
    names = Parts._fields
    return _prepared(
        found.member(),
        outcome.features,
        wanted,
        outcome.target,
        outcome.classes,
        outcome.labels.tobytes() if outcome.target is None else b"",
        {part: len(rows) for part, rows in zip(names, outcome.rows, strict=True)},
        outcome.class_counts(),
        profile.Noted(outcome.findings, outcome.duplicates, outcome.dropped),
        "shuffled" if outcome.exact else "file",
        outcome.write,
    )


def _described(member: Member) -> dict[str, Any]:
    found: dict[str, Any] = {"member": member.name, "bytes": member.size, "sha256": member.sha256}
    if member.parts:
        found["parts"] = [_described(part) for part in member.parts]
    return found


def _prepared(
    chosen: Member,
    features: tuple[profile.Feature, ...],
    wanted: Wanted,
    target: dict[str, Any] | None,
    classes: tuple[str, ...],
    labels: bytes,
    counts: dict[str, int],
    class_counts: dict[str, list[int]],
    noted: profile.Noted,
    order: str,
    write_to: Callable[[Callable[[str], BinaryIO]], None],
) -> Prepared:
    totals = [sum(each) for each in zip(*class_counts.values(), strict=True)]
    figures = profile.build(
        task=wanted.task,
        features=features,
        label={
            "name": wanted.label,
            **(target or profile.of_classes(wanted.task, classes, class_counts)),
        },
        parts={
            part: {"rows": rows, **profile.part_of(wanted.task, class_counts.get(part, ()))}
            for part, rows in counts.items()
        },
        noted=noted._replace(counts=dict(zip(classes, totals, strict=True))),
        source=_described(chosen),
        order=order,
    )
    return Prepared(
        chosen,
        features,
        wanted.label,
        wanted.task,
        classes,
        labels,
        counts,
        class_counts,
        figures,
        write_to,
    )
