"""The copy of the default source that ships with the code, for when UCI's archive cannot be read.

Its certificates were invalid for weeks, and it answered 502 for months. The copy is UCI's own file,
under CC BY 4.0; `vertebral_column/LICENSE.txt` says whose it is.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..common import default_source, fetch

FILE = Path(__file__).with_name("vertebral_column") / default_source.MEMBER


def is_of(source: Mapping[str, Any]) -> bool:
    """Tell whether a plan's source is the default one, which the copy is byte for byte."""
    return (source["uri"], source["member"], source["sha256"]) == (
        default_source.UCI,
        default_source.MEMBER,
        default_source.MEMBER_SHA256,
    )


def opened() -> fetch.Fetched:
    """Return the copy as if it had been fetched."""
    return fetch.Fetched(FILE.open("rb"), FILE.name)
