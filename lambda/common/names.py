"""Names of runs and of what they make, derived from the execution. Pure.

A run is found again from its name alone, so every function derives names here.
"""

import hashlib
import re
import sys
import unicodedata

# SageMaker's rule for endpoints, endpoint configs, models, training and transform jobs
# (CreateEndpoint, EndpointName), without capitals: Step Functions lower-cases some ARNs.
RESOURCE_NAME = re.compile(r"(?!.{64})[a-z0-9](?:-*[a-z0-9])*")

_SLUG_LENGTH = 31
_ATTEMPT_LENGTH = 8  # of "-<moment>" in a job's name
_BASE_LENGTH = 63 - _ATTEMPT_LENGTH
_HASH_LENGTH = 8
# What follows the base in a job's name: seven digits to the base 36, so that the eight hexadecimal
# digits ending another run's name never pass for one. Definitions of before, which a redrive goes
# on with, count redrives and retries by four digits at most.
_ATTEMPT = re.compile(r"(?:-[0-9a-z]{7}|(?:-\d{1,4}){0,2})")


# What AWS takes in the values of tags beside letters, digits and blanks (SageMaker API reference,
# Tag), and how long they may be.
_TAGGABLE = frozenset("_.:/=+-@")
_LONGEST_TAG = 256
# Stands for a character that tags refuse: its code point. No execution's ARN holds a slash.
_ESCAPE = re.compile(r"/([0-9a-f]+)/")


def run_id(execution_name: str, execution_arn: str) -> str:
    """Return `<slug of the execution's name>-<8 hex of its ARN's SHA-256>`.

    At most 40 characters of [a-z0-9-], starting with a letter or digit. The hash keeps runs apart
    whose names differ only in capitals, punctuation or beyond the 31st character.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", execution_name.lower()).strip("-")
    slug = slug[:_SLUG_LENGTH].rstrip("-") or "run"
    return f"{slug}-{hashlib.sha256(execution_arn.encode()).hexdigest()[:_HASH_LENGTH]}"


def run_id_of(execution_arn: str) -> str:
    """Return the run id from the execution's ARN alone, whose last part is the execution's name."""
    return run_id(execution_arn.rpartition(":")[2], execution_arn)


def execution_tag(execution_arn: str) -> str:
    """Return the execution's ARN as the value of a tag; `tagged_execution` gives the ARN back.

    Step Functions takes names that tags refuse: with quotation marks, brackets, symbols, emoji.

    Raises:
        ValueError: It is too long for a tag, written so.
    """
    tag = "".join(
        each if each in _TAGGABLE or unicodedata.category(each)[0] in "LZN" else f"/{ord(each):x}/"
        for each in execution_arn
    )
    if len(tag) > _LONGEST_TAG:
        raise ValueError(
            f"{execution_arn!r} has {len(tag)} characters as a tag, with what tags refuse written"
            f" out, of {_LONGEST_TAG}"
        )
    return tag


def tagged_execution(tag: str) -> str:
    """Return the execution's ARN from the value of its tag, whatever a person made of it."""
    return _ESCAPE.sub(_character, tag)


def _character(escaped: re.Match[str]) -> str:
    """What was written out, or the same where that is no character: then nobody wrote it out."""
    code = int(escaped[1], 16)
    is_one = code <= sys.maxunicode and unicodedata.category(chr(code)) != "Cs"
    return chr(code) if is_one else escaped[0]


def base_name(prefix: str, run: str) -> str:
    """Return `<prefix>-<run id>`, at most 55 characters: what the run's resources are called.

    Raises:
        ValueError: The prefix is so long or so spelled that SageMaker would refuse the name.
    """
    base = f"{prefix}-{run}"
    if len(base) > _BASE_LENGTH or not RESOURCE_NAME.fullmatch(base):
        raise ValueError(
            f"{base!r} cannot name SageMaker resources. Use a name prefix of at most"
            f" {_BASE_LENGTH - 41} lower-case letters, digits and inner hyphens."
        )
    return base


def fitting(base: str, longest: int) -> str:
    """Return what a run's names of at most `longest` characters begin with, their attempt aside.

    That is the base where there is room for it, as there always is in 63 characters. Tuning jobs
    have 32: theirs begin with the base's first characters and the run's hash. The name prefix is
    in them whole, and `-` after it, when it has at most 14 characters.
    """
    room = longest - _ATTEMPT_LENGTH
    if len(base) <= room:
        return base
    return f"{base[: room - _HASH_LENGTH - 1].rstrip('-')}-{base[-_HASH_LENGTH:]}"


def belongs(name: str, base: str) -> bool:
    """Tell whether a name may be the run's: `base`, or `base-<moment>`.

    "Starts with the base" would not do: a run whose execution is called after another run
    (`nightly-1a2b3c4d-again`) starts with that run's base.
    """
    return name.startswith(base) and _ATTEMPT.fullmatch(name, len(base)) is not None
