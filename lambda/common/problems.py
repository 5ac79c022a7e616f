"""One thing that is wrong with an execution input, and how a value is shown in it. Pure."""

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

from .addresses import shown

_SHOWN = 80  # characters of an offending value
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ADDRESS = re.compile(r"://|(https?|s3|ftp):[/\\]", re.IGNORECASE)


class Problem(NamedTuple):
    """One thing to correct: where, what is given (already fit to show) and what to do."""

    path: str
    fault: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.fault}. {self.remedy}"


def show(value: object) -> str:
    """Write a value as JSON on one line, at most 80 characters, nothing invisible in it.

    Addresses are shown as such wherever they stand: people put one into a wrong field.
    """
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = _TEXT.sub(
        lambda found: f'"{shown(found[1])}"' if _ADDRESS.search(found[1]) else found[0], text
    )
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def closest(name: str, known: Iterable[str]) -> str:
    """Return `Did you mean "x"? ` for the known name nearest to this one, or nothing."""
    # Only a refusal needs it.
    import difflib

    near = difflib.get_close_matches(name[:_SHOWN].lower(), list(known), n=1, cutoff=0.6)
    return f'Did you mean "{near[0]}"? ' if near else ""
