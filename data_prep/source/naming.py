"""Which of several files are read as one table, in which order, and what their folders say.

Hidden files, markers such as `_SUCCESS` and files without a byte are passed over, as Spark does.
Folders called `key=value` make columns, as Hive writes them.
"""

import posixpath
from collections.abc import Iterable

from data_prep.errors import MemberNotFoundError, TooLargeError, shown

# What Hive writes where a value is missing.
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
# A marker costs a request each, and a name a line of the profile.
MOST_PARTS = 10_000


def is_pattern(wanted: str | None) -> bool:
    """Tell whether several members are asked for: a folder's, or those that a pattern names."""
    return wanted is not None and (wanted.endswith("/") or "*" in wanted)


def is_data(name: str) -> bool:
    """Tell whether a file of a folder is one of data, by its path in the folder."""
    return not any(
        part.startswith(".") or (part.startswith("_") and "=" not in part)
        for part in name.split("/")
    )


def chosen(names: Iterable[str], wanted: str) -> list[str]:
    """Return the names that a pattern asks for, in their order."""
    # Small files of one name go without these imports.
    import fnmatch

    pattern = f"{wanted}*" if wanted.endswith("/") else wanted
    return sorted(name for name in names if is_data(name) and fnmatch.fnmatchcase(name, pattern))


def keys_of(name: str) -> dict[str, str]:
    """Return what the folders of a path say of its rows, as Hive writes it."""
    import urllib.parse

    found = {}
    for folder in posixpath.dirname(name).split("/"):
        key, equals, value = folder.partition("=")
        if key and equals:
            found[urllib.parse.unquote(key)] = (
                "" if value == _HIVE_NULL else urllib.parse.unquote(value)
            )
    return found


def check_count(name: str, count: int) -> None:
    """Refuse more files than are read as one.

    Raises:
        TooLargeError: There are more.
    """
    if count > MOST_PARTS:
        raise TooLargeError(
            f"{shown(name)} holds {count:,} files, more than {MOST_PARTS:,}",
            remedy="Join them to fewer and larger ones.",
        )


def check_wanted(wanted: str | None, name: str) -> None:
    """Refuse to look for a member in what has none.

    Raises:
        MemberNotFoundError: One is asked for.
    """
    if wanted is not None and wanted != name:
        raise MemberNotFoundError(
            f"{shown(wanted)} was asked for and the file is {shown(name)}, which has no members",
            remedy="Leave source.member out, or give a zip file that holds it.",
        )
