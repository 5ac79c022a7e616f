"""What hyperparameters an algorithm takes: names, types, ranges, and what an image is too old for.

Pure. SageMaker's containers refuse a value only once the job's instances are paid for, so every
value is checked here first.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..common.problems import Problem, closest, show

PATH = "training.hyperparameters"
# CreateTrainingJob, HyperParameterValue: at most 2,500 characters.
_LONGEST = 2500
_INTEGER = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class Rule(Protocol):
    """What a hyperparameter's value may be."""

    def text(self, value: object) -> str | None:
        """Return the value as the container parses it, or None when it would not do."""
        ...

    def remedy(self) -> str:
        """Say what would do."""
        ...


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number between two bounds; an open bound is not itself allowed."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False

    def text(self, value: object) -> str | None:
        """Return the value as the container parses it, or None when it would not do."""
        if isinstance(value, bool):
            # The container's flags are the integers 0 and 1: int("true") fails there.
            text = str(int(value)) if self.whole and (self.low, self.high) == (0, 1) else ""
        elif isinstance(value, float) and self.whole and value.is_integer():
            text = str(int(value))
        else:
            text = value if isinstance(value, str) else repr(value)
        if not (_INTEGER if self.whole else NUMBER).fullmatch(text):
            return None
        return text if self._holds(float(text)) else None

    def _holds(self, number: float) -> bool:
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        return above and below and math.isfinite(number)

    def remedy(self) -> str:
        """Say what would do."""
        noun = "a whole number" if self.whole else "a number"
        bounds = []
        if self.low != -math.inf:
            bounds.append(f"{'above' if self.open_low else 'at least'} {self.low:g}")
        if self.high != math.inf:
            bounds.append(f"{'below' if self.open_high else 'at most'} {self.high:g}")
        return f"Give {' '.join((noun, ' and '.join(bounds))).strip()}."


@dataclass(frozen=True)
class Choice:
    """One of a few words, or with `several` a comma-separated list of them."""

    words: tuple[str, ...]
    several: bool = False
    pattern: re.Pattern[str] | None = None

    def text(self, value: object) -> str | None:
        """Return the value as the container parses it, or None when it would not do."""
        text = str(value).lower() if isinstance(value, bool) else value
        if not isinstance(text, str):
            return None
        parts = text.split(",") if self.several else [text]
        return text if all(self._knows(part) for part in parts) else None

    def _knows(self, word: str) -> bool:
        return word in self.words or bool(self.pattern and self.pattern.fullmatch(word))

    def remedy(self) -> str:
        """Say what would do."""
        if len(self.words) == 1:
            return f'Give "{self.words[0]}" or leave it out.'
        how = "Give one or more of these, separated by commas" if self.several else "Give one of"
        return f"{how}: {', '.join(self.words)}."


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """The hyperparameters of an algorithm's image.

    Attributes:
        rules: What each may be, by its name.
        defaults: Those that are given where the execution input does not.
        aliases: Other names that some images take, by the one that every image does.
        since: The first image version that takes a hyperparameter, or a value of one; every image
            knows the others.
        not_offered: Values that the image takes and a run does not, by hyperparameter and value:
            why, and what to give instead.
        elsewhere: Hyperparameters that the image knows and a run has no use for: what to do.
        remedies: What to do about a value that is not allowed, beside what its rule says.
        combinations: Returns what the container refuses although each value alone would do.
    """

    rules: Mapping[str, Rule]
    defaults: Mapping[str, str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    since: Mapping[str, str] = field(default_factory=dict)
    not_offered: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    remedies: Mapping[str, str] = field(default_factory=dict)
    combinations: Callable[[Mapping[str, str]], Iterable[Problem]] = lambda _: ()

    def merge(
        self, given: Mapping[str, object], *, image: str
    ) -> tuple[dict[str, str], list[Problem]]:
        """Merge the given hyperparameters over the defaults, as the strings SageMaker takes.

        Numbers become their shortest text. A boolean becomes "1"/"0" where the container wants a
        whole number and "true"/"false" where it wants a word.

        Args:
            given: Names and values.
            image: What people call the image.

        Returns:
            The hyperparameters by their canonical names, and what is wrong with single ones.
        """
        values = dict(self.defaults)
        problems: list[Problem] = []
        for name, value in given.items():
            canonical = self.aliases.get(name, name)
            outcome = self._one(name, canonical, value, given, image)
            if isinstance(outcome, Problem):
                problems.append(outcome)
            else:
                values[canonical] = outcome
        return values, problems

    def too_new(
        self, values: Mapping[str, str], given: Mapping[str, object], *, version: str
    ) -> Iterator[tuple[str, str]]:
        """Yield each given hyperparameter that an image does not know yet, and the first that does.

        Args:
            values: All hyperparameters, by their canonical names.
            given: Those that were asked for.
            version: Of the image, such as "1.7-1".
        """
        for name in sorted({self.aliases.get(name, name) for name in given}):
            needed = max(
                (
                    self.since[each]
                    for each in (name, *values[name].split(","))
                    if each in self.since
                ),
                key=_version,
                default=version,
            )
            if _version(version) < _version(needed):
                yield name, needed

    def _one(
        self, name: str, canonical: str, value: object, given: Mapping[str, object], image: str
    ) -> str | Problem:
        path = f"{PATH}.{show(name)[1:-1]}"
        rule = self.rules.get(canonical)
        if rule is None:
            return self._unknown(path, name, value, image)
        if canonical != name and canonical in given:
            return Problem(
                path,
                f'{show(value)} is given beside "{canonical}"',
                "They are one; keep one of them.",
            )
        not_offered = self.not_offered.get(name, {})
        if isinstance(value, str) and value in not_offered:
            fault, remedy = not_offered[value]
            return Problem(path, f"{show(value)} {fault}", remedy)
        text = rule.text(value)
        if text is None or len(text) > _LONGEST:
            remedy = self.remedies.get(canonical, "{rule}").format(rule=rule.remedy())
            return Problem(path, f"{show(value)} is not allowed", remedy)
        return text

    def _unknown(self, path: str, name: str, value: object, image: str) -> Problem:
        if name in self.elsewhere:
            return Problem(
                path, f"{show(value)} is for another kind of training", self.elsewhere[name]
            )
        near = closest(name, [*self.rules, *self.aliases])
        return Problem(
            path,
            f"{show(value)} is given to a hyperparameter the {image} image does not have",
            f"{near}The names are in the SageMaker {image} documentation.",
        )


def _version(image: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall("[0-9]+", image)))
