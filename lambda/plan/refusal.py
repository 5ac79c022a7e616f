"""How a refusal of the execution input reads. Pure."""

from collections.abc import Iterable

from ..common.errors import SpineError
from ..common.problems import Problem

_LISTED = 20  # problems spelled out; the Step Functions console cuts long causes


class InvalidInputError(SpineError):
    """The execution input cannot be run; the message lists every problem with its remedy."""


def refuse(problems: Iterable[Problem]) -> InvalidInputError:
    """Build the one exception that reports all problems, in the order of the input."""
    lines = [str(problem) for problem in problems]
    count = f"{len(lines)} problems" if len(lines) > 1 else "1 problem"
    hidden = len(lines) - _LISTED
    if hidden > 0:
        lines[_LISTED:] = [f"and {hidden} more."]
    listed = "\n".join(f"- {line}" for line in lines)
    return InvalidInputError(f"The execution input has {count}; nothing was started.\n{listed}")
