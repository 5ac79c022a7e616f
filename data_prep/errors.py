"""Every way an input is refused: one class each, so that a caller can tell them apart by name.

Step Functions shows the class name as the error and the message as its cause, so a message says
where the problem is (line, column, value) and what to change.
"""


def shown(value: str, *, limit: int = 60) -> str:
    """Return a value from an input, quoted and cut to `limit` characters, for a message."""
    return repr(value if len(value) <= limit else f"{value[:limit]}...")


def listed(values: list[str] | tuple[str, ...], *, limit: int = 20) -> str:
    """Return names from an input as one comma-separated text, at most `limit` of them."""
    text = ", ".join(shown(value) for value in values[:limit])
    more = len(values) - limit
    return f"{text} and {more} more" if more > 0 else text


class DataError(Exception):
    """An input that cannot be prepared.

    Attributes:
        problem: What is wrong, in one sentence without its full stop.
        remedy: What the person who gave the input can do.
        line: Line of the text file, counted from 1, where it was found.
        column: Name of the column where it was found.
    """

    def __init__(
        self, problem: str, *, remedy: str, line: int | None = None, column: str | None = None
    ) -> None:
        places = [
            f"line {line}" if line is not None else "",
            f"column {shown(column)}" if column is not None else "",
        ]
        where = ", ".join(place for place in places if place)
        super().__init__(f"{where}: {problem}. {remedy}" if where else f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy
        self.line = line
        self.column = column


# The file as a whole.


class EmptyFileError(DataError):
    """The file, or the chosen member, has no bytes."""


class WebPageError(DataError):
    """The file is an HTML page, what a server answers instead of a file that moved."""


class UnsupportedFormatError(DataError):
    """The file is of a known kind that is not read here: Excel, tar and others."""


class TooLargeError(DataError):
    """The file or member is larger than the limit."""


class ChecksumError(DataError):
    """The content does not have the SHA-256 that was asked for."""


# Archives.


class DamagedArchiveError(DataError):
    """A zip or gzip file is truncated, altered or malformed."""


class EncryptedArchiveError(DataError):
    """A zip file asks for a password."""


class UnsafeMemberNameError(DataError):
    """A zip member's name would leave the folder it is extracted to."""


class SymlinkMemberError(DataError):
    """A zip member is a symbolic link."""


class DuplicateMemberError(DataError):
    """A zip file holds two members of one name."""


class NestedArchiveError(DataError):
    """The chosen member is an archive itself."""


class ArchiveBombError(DataError):
    """A member unpacks to far more bytes than data compresses to."""


class TooManyMembersError(DataError):
    """A zip file's list of members is larger than the limit."""


class UnsupportedCompressionError(DataError):
    """A zip member uses a compression method other than stored or deflate."""


class MemberNotFoundError(DataError):
    """The archive, or the bare file, is not the member that was asked for."""


class AmbiguousMemberError(DataError):
    """No member was asked for and the archive offers several, or none."""


# Text.


class EncodingError(DataError):
    """The text is not in the encoding given or, where none is given, in UTF-8."""


class BinaryContentError(DataError):
    """The text holds NUL bytes: it is binary, or UTF-16."""


class LineTooLongError(DataError):
    """A line is longer than the limit."""


class QuotingError(DataError):
    """A quoted value is not closed, or is followed by something else than a delimiter."""


class RaggedRowError(DataError):
    """A row has more or fewer values than there are columns."""


class NoRowsError(DataError):
    """There are columns but no row of data."""


# ARFF.


class ArffHeaderError(DataError):
    """A line before `@data` is not a declaration."""


class ArffDataMissingError(DataError):
    """There is no `@data` line."""


class UnsupportedTypeError(DataError):
    """An attribute is declared string, date or relational."""


class SparseDataError(DataError):
    """A row in ARFF's sparse notation is malformed."""


class UndeclaredValueError(DataError):
    """A nominal value is not among those its attribute declares."""


# CSV.


class HeaderMissingError(DataError):
    """The first line holds values, not column names."""


class DelimiterError(DataError):
    """The file has one column: its values are separated by something else than , ; or tab."""


# Columns.


class DuplicateColumnError(DataError):
    """Two columns have one name."""


class UnnamedColumnError(DataError):
    """A column has no name."""


class NoFeaturesError(DataError):
    """The label is the only column."""


class NominalFeatureError(DataError):
    """A feature is declared nominal and not to be encoded, and XGBoost takes numbers."""


class ColumnNotFoundError(DataError):
    """A column to drop, to rename or to encode is not in the file."""


class TooManyCategoriesError(DataError):
    """A categorical column has more values than a mapping should list."""


class LeakageError(DataError):
    """A feature tells the label outright."""


# Values.


class MissingValueError(DataError):
    """A value is missing."""


class NotANumberError(DataError):
    """A feature's value is not a number."""


class NotFiniteError(DataError):
    """A feature's value is NaN, infinite, or too large for a 64-bit float."""


class ForeignDigitsError(DataError):
    """A number is written in digits of another script, which Python would read and XGBoost not."""


class DigitSeparatorError(DataError):
    """A number is written like `1_0`, which Python would read as 10 and pandas as text."""


# The label.


class LabelNotFoundError(DataError):
    """No column has the label's name."""


class PositiveNotFoundError(DataError):
    """The positive value is not among the label's values."""


class OneClassError(DataError):
    """The label has the same value in every row."""


class TooManyClassesError(DataError):
    """A binary label has more than two values, or any label of classes more than 256."""


class ClassCountError(DataError):
    """The label has another number of classes than `num_class` says."""


class NotAboveMinusOneLabelError(DataError):
    """A label is -1 or less, and `reg:squaredlogerror` takes the logarithm of label + 1."""


class NegativeLabelError(DataError):
    """A label is negative, and the objective counts or adds up."""


class NotPositiveLabelError(DataError):
    """A label is 0 or negative, and `reg:gamma` takes its logarithm."""


class NotAShareLabelError(DataError):
    """A label is not from 0 to 1, and `reg:logistic` predicts shares."""


class TooFewRowsError(DataError):
    """A class has too few rows for each of the three parts to get one."""


# The request.


class FractionsError(DataError):
    """The fractions or the seed of the split are out of range."""
