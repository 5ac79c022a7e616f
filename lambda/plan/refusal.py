"""How a refusal of the execution input reads. Pure."""

import difflib
import json
from collections.abc import Iterable
from typing import NamedTuple

from ..common.errors import SpineError

_SHOWN = 80  # characters of an offending value
_LISTED = 20  # problems spelled out; the Step Functions console cuts long causes


class InvalidInputError(SpineError):
    """The execution input cannot be run; the message lists every problem with its remedy."""


class Problem(NamedTuple):
    """One thing to correct: where, what is given (already fit to show) and what to do."""

    path: str
    fault: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.fault}. {self.remedy}"


def refuse(problems: Iterable[Problem]) -> InvalidInputError:
    """Build the one exception that reports all problems, in the order of the input."""
    lines = [str(problem) for problem in problems]
    count = f"{len(lines)} problems" if len(lines) > 1 else "1 problem"
    hidden = len(lines) - _LISTED
    if hidden > 0:
        lines[_LISTED:] = [f"and {hidden} more."]
    listed = "\n".join(f"- {line}" for line in lines)
    return InvalidInputError(f"The execution input has {count}; nothing was started.\n{listed}")


def show(value: object) -> str:
    """Write a value as JSON on one line, at most 80 characters, nothing invisible in it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def closest(name: str, known: Iterable[str]) -> str:
    """Return `Did you mean "x"? ` for the known name nearest to this one, or nothing."""
    near = difflib.get_close_matches(name[:_SHOWN].lower(), list(known), n=1, cutoff=0.6)
    return f'Did you mean "{near[0]}"? ' if near else ""
