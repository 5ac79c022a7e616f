"""Looking at a file before anything runs: what is in it, and the input that reads it.

The input is found by preparing the file, or a sample of a large one, again and again, each time
with what the last refusal said to add: what it says here is what a run would say.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from data_prep import formats, leaks, prepare
from data_prep.errors import DataError, merged, shown
from data_prep.formats.base import Opened
from data_prep.labels import guessed_positive
from data_prep.limits import Limits
from data_prep.options import FormatOptions, Objective, Task, Wanted
from data_prep.problems import guessed_label, of_encoding
from data_prep.problems import told as problems_of
from data_prep.source.examination import Examination, examine
from data_prep.source.text import EncodingError
from data_prep.split import Fractions
from data_prep.values import number

# A file up to this size is looked at whole; of a larger one so many pieces are.
_WHOLE_BYTES = 1 << 20
_PIECES = 16
_MOST_ROUNDS = 12
_MOST_DISTINCT = 10_000
_FEW_CLASSES = 20
_TRUTH = frozenset(["true", "false"])
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T]\d{1,2}:\d{2}.*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*"
)
# Warnings whose remedy is followed, since a model learns nothing good from these columns.
_FOLLOWED = ("ConstantColumnWarning", "IdentifierWarning")


class Seen(NamedTuple):
    """A column of the file as it is written.

    Attributes:
        name: Its name in the file.
        kind: "integer", "number", "true or false", "date", "text" or "empty".
        missing: How many of the rows looked at have no value.
        distinct: How many different values they have, at most `_MOST_DISTINCT`.
        low: The least number; None for others.
        high: The greatest.
        examples: Some values.
        notes: What it looks like: a constant, an identifier.
    """

    name: str
    kind: str
    missing: int
    distinct: int
    low: float | None
    high: float | None
    examples: tuple[str, ...]
    notes: tuple[str, ...]


class Found(NamedTuple):
    """A problem, as its refusal tells it, and what in the input solves it; empty: nothing does."""

    error: str
    line: int | None
    column: str | None
    message: str
    fix: Mapping[str, Any]


class Inspection(NamedTuple):
    """What is known of a file.

    Attributes:
        facts: Its format, member, encoding, delimiter, decimal sign, rows and size, by name.
        is_sampled: Whether only some of its rows were looked at.
        columns: Each as it is written.
        label: The column to predict.
        positive: Of two classes, the value that becomes 1.
        objective: What the label is for.
        problems: All that were met.
        warnings: What is left to know with the input below, as in a run's profile.
        input: The execution input that reads the file, without its address.
        is_readable: Whether what was looked at is prepared with it.
    """

    facts: dict[str, Any]
    is_sampled: bool
    columns: tuple[Seen, ...]
    label: str | None
    positive: str | None
    objective: str | None
    problems: tuple[Found, ...]
    warnings: tuple[dict[str, Any], ...]
    input: dict[str, Any]
    is_readable: bool

    def summary(self) -> dict[str, Any]:
        """Return all of it, fit for JSON."""
        return {
            **self._asdict(),
            "columns": [{**each._asdict()} for each in self.columns],
            "problems": [each._asdict() for each in self.problems],
        }


def asked(given: Mapping[str, Any]) -> tuple[FormatOptions, Wanted]:
    """Return an execution input's options of reading and what it wants of the columns."""
    source = given.get("source", {})
    hyperparameters = given.get("training", {}).get("hyperparameters", {})
    objective = hyperparameters.get("objective", "binary:logistic")
    kinds: dict[str, Task] = {"binary": "binary", "multi": "multiclass"}
    task = kinds.get(objective.partition(":")[0], "regression")
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in source.items()
        if name in Wanted._fields and value is not None
    }
    classes = hyperparameters.get("num_class")
    options: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in source.get("format", {}).items()
    }
    wanted = Wanted(
        **fields,
        task=task,
        objective=Objective(objective),
        num_class=None if classes is None else int(classes),
    )
    return FormatOptions(**options), wanted


def inspect(
    file: io.BufferedIOBase, *, name: str, label: str | None = None, member: str | None = None
) -> Inspection:
    """Look at a file.

    Args:
        file: It, seekable.
        name: Its name.
        label: The column to predict; guessed when None.
        member: Of an archive.

    Raises:
        DataError: It is no file that could be read with any input.
    """
    given: dict[str, Any] = {"source": {}}
    if member is not None:
        given["source"]["member"] = member
    problems: list[DataError] = []
    part = _Part(file, name, given, problems)
    opened, given = _opened(part, part.given, problems)
    rows = _rows(opened)
    columns = tuple(_columns(opened, rows))
    given = _with_label(given, columns, rows, label)
    given, warnings, is_readable = _solved(part, given, problems)
    options, wanted = asked(given)
    kind = formats.recognised(part.found, options.kind)
    headers = opened.rows.header_lines
    facts = {
        "format": kind.name,
        "file": part.found.name,
        "encoding": options.encoding or part.found.encoding if kind.is_text else None,
        "delimiter": opened.rows.delimiter if kind.is_text else None,
        "decimal": getattr(options, "decimal", None) or ".",
        "header": bool(headers),
        "rows": None
        if part.is_sampled and part.lines is None
        else len(rows)
        if part.lines is None
        else part.lines - headers,
        "rows_looked_at": len(rows),
    }
    return Inspection(
        facts,
        part.is_sampled,
        columns,
        wanted.label,
        wanted.positive if wanted.task == "binary" else None,
        wanted.objective.name if wanted.objective else None,
        tuple(_told(problems)),
        tuple(warnings),
        given,
        is_readable,
    )


def replaced(given: Mapping[str, Any], fix: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input with a fix pasted into it: fields take the place of those of that name."""
    whole = dict(given)
    for name, value in fix.items():
        old = whole.get(name)
        # The names of columns are values: an object of them is given whole.
        both = isinstance(old, Mapping) and isinstance(value, Mapping) and name != "rename"
        whole[name] = replaced(old, value) if both else value  # type: ignore[arg-type]
    return whole


class _Part:
    """What is looked at: the whole file, or of a large one so much that it takes no time.

    Args:
        file: The file.
        name: Its name.
        given: The input so far.

    Attributes:
        is_sampled: Whether it is not the whole file.
        lines: Of the whole file; None where they were not counted.
        found: The file's beginning, examined.
        given: The input, with the encoding that it takes.
    """

    def __init__(
        self,
        file: io.BufferedIOBase,
        name: str,
        given: dict[str, Any],
        problems: list[DataError],
    ) -> None:
        self._file = file
        self._name = name
        self._text: bytes | None = None
        self._is_utf8 = False
        self.is_sampled = False
        self.lines: int | None = None
        try:
            self.found = self.examined(given)
        except EncodingError as error:
            told = of_encoding(error, FormatOptions())
            problems.append(told)
            if not told.fix:
                raise
            given = replaced(given, told.fix)
            self.found = self.examined(given)
        self.given = given
        end = file.seek(0, io.SEEK_END)
        if self.found.binary is None and end > _WHOLE_BYTES // 8:
            self._take(end)

    def _take(self, end: int) -> None:
        """Take pieces all over a bare text of an encoding of bytes, of others the beginning."""
        self._file.seek(0)
        head = self._file.read(4)
        if self.found.name != self._name or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            with self.found.open_utf8(once=True) as text:
                piece = b""
                while len(piece) <= _WHOLE_BYTES and (more := text.read(_WHOLE_BYTES)):
                    piece += more
            if len(piece) > _WHOLE_BYTES:
                self._text = piece[: piece.rfind(b"\n", 0, _WHOLE_BYTES) + 1]
                self._is_utf8 = self.is_sampled = True
                self._name = self.found.name
            return
        if end <= _WHOLE_BYTES:
            return
        pieces = []
        size = _WHOLE_BYTES // _PIECES
        for at in range(_PIECES):
            self._file.seek(at * (end - size) // (_PIECES - 1))
            piece = self._file.read(size)
            # The first line of a piece is cut, but for that of the file.
            start = piece.find(b"\n") + 1 if at else 0
            pieces.append(piece[start : piece.rfind(b"\n") + 1])
        self._text = b"".join(pieces)
        self.is_sampled = True
        self._file.seek(0)
        self.lines = 0
        while block := self._file.read(8 << 20):
            self.lines += block.count(b"\n")

    def how(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what `prepare` takes to read it."""
        options, wanted = asked(given)
        whole = self._text is None
        file = self._file if self._text is None else io.BytesIO(self._text)
        file.seek(0)
        return {
            "source": file,
            "name": self._name,
            "member": given["source"].get("member") if whole or not self._is_utf8 else None,
            "format_options": options._replace(encoding=None) if self._is_utf8 else options,
            "wanted": wanted,
        }

    def examined(self, given: Mapping[str, Any]) -> Examination:
        """Begin to examine it."""
        how = self.how(given)
        return examine(
            how["source"],
            name=how["name"],
            wanted=how["member"],
            encoding=how["format_options"].encoding,
            limits=Limits(),
        )


def _opened(
    part: _Part, given: dict[str, Any], problems: list[DataError]
) -> tuple[Opened, dict[str, Any]]:
    """Read the header, by what its refusals say to add."""
    for _ in range(_MOST_ROUNDS):
        found = part.examined(given)
        options = part.how(given)["format_options"]
        try:
            found.finish()
            return formats.opened(found, options), given
        except DataError as error:
            told = problems_of(error, found, options, asked(given)[1], Fractions())
            problems.append(told)
            if not told.fix:
                raise told from error
            given = replaced(given, told.fix)
    raise problems[-1]


def _rows(opened: Opened) -> list[list[str]]:
    """Return the rows that can be read."""
    rows: list[list[str]] = []
    try:
        for batch in opened.batches():
            rows += batch.rows
    except DataError:
        # Told when the file is prepared.
        pass
    return rows


def _columns(opened: Opened, rows: Sequence[Sequence[str]]) -> Iterator[Seen]:
    missing = opened.rows.missing
    for at, name in enumerate(opened.rows.names):
        texts = [row[at].strip() for row in rows]
        present = [text for text in texts if text and text not in missing]
        different = set(present)
        numbers = [value for text in different if (value := number(text)) is not None]
        kind = _kind(different, numbers)
        is_number = kind in ("integer", "number")
        notes = []
        if len(different) == 1 and len(present) == len(texts):
            notes.append("constant")
        few = len(present) < 20 or len(different) < len(present)
        if not few and (kind == "text" or (kind == "integer" and leaks.is_called_so(name))):
            notes.append("identifier")
        elif not few and kind == "integer" and numbers == sorted(numbers) and _counts(present):
            notes.append("index")
        yield Seen(
            name,
            kind,
            len(texts) - len(present),
            min(len(different), _MOST_DISTINCT),
            min(numbers) if is_number else None,
            max(numbers) if is_number else None,
            tuple(list(dict.fromkeys(present))[:3]),
            tuple(notes),
        )


def _counts(texts: Sequence[str]) -> bool:
    values = [int(text) for text in texts]
    return values == list(range(values[0], values[0] + len(values)))


def _kind(different: set[str], numbers: list[float]) -> str:
    if not different:
        return "empty"
    if len(numbers) == len(different):
        whole = all(text.lstrip("+-").isdigit() for text in different)
        return "integer" if whole else "number"
    if {text.lower() for text in different} <= _TRUTH:
        return "true or false"
    if all(_DATE.fullmatch(text) for text in different):
        return "date"
    return "text"


def _with_label(
    given: dict[str, Any],
    columns: Sequence[Seen],
    rows: Sequence[Sequence[str]],
    label: str | None,
) -> dict[str, Any]:
    """Say which column is the label, and what it is for."""
    names = [each.name for each in columns]
    if label is None:
        asked_for = given["source"].get("label")
        label = asked_for if asked_for in names else names[guessed_label(names, rows)]
    source = {**given["source"], "label": label}
    given = {**given, "source": source}
    if label not in names:
        return given
    seen = columns[names.index(label)]
    at = names.index(label)
    texts = [row[at].strip() for row in rows]
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    values = [text for text in counts if text]
    if seen.distinct == 2 and len(values) >= 2:
        source["positive"] = guessed_positive(counts, values)
        return given
    numeric = seen.kind == "number" or (seen.kind == "integer" and seen.distinct > _FEW_CLASSES)
    objective = "reg:squarederror" if numeric else "multi:softprob"
    return merged(given, {"training": {"hyperparameters": {"objective": objective}}})


def _solved(
    part: _Part, given: dict[str, Any], problems: list[DataError]
) -> tuple[dict[str, Any], list[dict[str, Any]], bool]:
    """Prepare with what the refusals and some warnings say to add, until there is none."""
    for _ in range(_MOST_ROUNDS):
        how = part.how(given)
        wanted = how["wanted"]
        try:
            prepared = prepare(**how)
        except DataError as error:
            problems += [error, *error.others]
            added = replaced(given, _whole_fix(error))
            if added == given:
                return given, [], False
            given = added
            continue
        warnings: list[dict[str, Any]] = prepared.profile["warnings"]
        columns = [each["column"] for each in warnings if each["name"] in _FOLLOWED]
        left = len(prepared.features) - len(columns)
        names = {new: old for old, new in wanted.rename.items()}
        dropped = [*wanted.drop, *(names.get(each, each) for each in columns)]
        if not columns or left < 1:
            return given, warnings, True
        kept = [name for name in wanted.categorical if name not in columns]
        problems += [
            DataError(
                # The place is said before it.
                each["message"].removeprefix(f"column {shown(each['column'])} ").rstrip("."),
                remedy=each["remedy"],
                column=each["column"],
                fix=each["fix"],
            )
            for each in warnings
            if each["name"] in _FOLLOWED
        ]
        given = replaced(given, {"source": {"drop": dropped}})
        if wanted.categorical:
            given = replaced(given, {"source": {"categorical": kept}})
    return given, [], False


def _whole_fix(error: DataError) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for each in (error, *error.others):
        whole = merged(whole, each.fix)
    return whole


def _told(problems: Sequence[DataError]) -> Iterator[Found]:
    seen = set()
    for each in problems:
        found = Found(
            type(each).__name__ if type(each) is not DataError else "Warning",
            each.line,
            each.column,
            each.own_text(),
            each.fix,
        )
        if (found.error, found.column, found.message) not in seen:
            seen.add((found.error, found.column, found.message))
            yield found
