"""What the person running it asks of the preparation, beside the file itself."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

Task = Literal["binary", "multiclass", "regression"]
# Labels of a regression: more than -1; 0 or more; more than 0; from 0 to 1.
Domain = Literal["above_minus_one", "non_negative", "positive", "share"]

# The delimiter of a file whose columns are told apart by any run of blanks and tabs.
WHITESPACE = "whitespace"


class Objective(NamedTuple):
    """What a model is trained for.

    Attributes:
        name: The algorithm's own, for people.
        domain: The labels of a regression that it takes; any number when None.
    """

    name: str
    domain: Domain | None = None


class FormatOptions(NamedTuple):
    """How the data file is written; what is None is found out.

    Attributes:
        kind: The name of a format (`formats.FORMATS`), such as "csv" (any delimiter).
        delimiter: The one character between the values of a delimited file, or `WHITESPACE`.
        header: Whether a delimited file's first line names the columns. Without a header they are
            called column_1, column_2 and so on.
        encoding: Name of the text's encoding; UTF-8, or what a byte order mark says, when None.
        names: The columns' names; those of the header when empty. Without a word of the header
            they are those of a file that has none.
        comment: What a line of a delimited file begins with that is no row.
        decimal: What stands before a number's fraction in a delimited file; a point when None.
        thousands: What may stand between its thousands.
        na_values: What a missing value looks like, beside what the format has for it.
        sheet: The sheet of a workbook; the only one when None.
    """

    kind: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    encoding: str | None = None
    names: Sequence[str] = ()
    comment: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    na_values: Sequence[str] = ()
    sheet: str | None = None


class Wanted(NamedTuple):
    """What becomes of the columns.

    Attributes:
        label: Name of the label's column, after renaming.
        task: "binary" makes 1 of the positive value and 0 of the other; "multiclass" numbers the
            values from 0, in the order of scikit-learn's `LabelEncoder`; "regression" keeps the
            label, a number.
        positive: The value of a binary label that becomes 1.
        rest: Whether every other value becomes 0, however many there are; otherwise there must be
            exactly one other.
        num_class: How many classes a multiclass label must have; any number when None.
        objective: What the model is trained for; when None, a regression takes any number.
        drop: Columns left out, by the names the file gives them.
        rename: New names of columns, by the names the file gives them.
        categorical: Columns of text, by their new names: each value becomes the number of its place
            in the sorted list of them (in the declared list, for a nominal attribute of ARFF).
        encode_text: Whether each other column of text is encoded likewise.
        missing_label: "refuse" a row without a label, or "drop" it.
        rare_classes: Of classes of which the smallest part would get no row: "refuse" them, "drop"
            their rows, or "merge" them into one class, called "other".
        missing: "refuse" a missing value, or "pass" it as the empty field that XGBoost takes for
            missing.
        allow_leakage: Whether a feature that tells the label is accepted.
        allow_duplicates: Whether it is accepted that most rows that are held out are trained on.
    """

    label: str = "class"
    task: Task = "binary"
    positive: str = "Abnormal"
    rest: bool = False
    num_class: int | None = None
    objective: Objective | None = None
    drop: tuple[str, ...] = ()
    rename: Mapping[str, str] = MappingProxyType({})
    categorical: tuple[str, ...] = ()
    encode_text: bool = False
    missing_label: Literal["refuse", "drop"] = "refuse"
    rare_classes: Literal["refuse", "drop", "merge"] = "refuse"
    missing: Literal["refuse", "pass"] = "refuse"
    allow_leakage: bool = False
    allow_duplicates: bool = False
