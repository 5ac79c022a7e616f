# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""Files of any shape the formats allow, drawn at random."""

import random
import struct
from collections.abc import Callable
from typing import Any

from data_prep import DataError, Prepared
from tests.data_prep.support import run


def any_float(draw: random.Random) -> float:
    """Draw a finite float of any magnitude, or one near a change of notation."""
    kind = draw.randrange(6)
    if kind == 0:
        value: float = struct.unpack("<d", draw.randbytes(8))[0]
        return value if abs(value) < 3.4e38 else 0.1
    if kind == 1:
        return draw.choice([1e-4, 1e-5, 9.999999999999999e15, 1e16, 5e-324, -0.0, 3.3e38, 0.1])
    if kind == 2:
        return float(draw.randrange(-1000, 1000))
    return draw.gauss(50, 20)


def written(draw: random.Random, value: float) -> str:
    """Write a float in one of the ways files do, not only as Python would."""
    return draw.choice([repr, "{:.3f}".format, "{:.10e}".format, "{:+g}".format, "{:.25g}".format])(
        value
    )


def labels(draw: random.Random, rows: int) -> list[int]:
    """Draw a label for each row, at least a fifth of each class."""
    drawn = [int(draw.random() < draw.choice([0.2, 0.5, 0.8])) for _ in range(rows)]
    fifth = rows // 5
    return [1] * fifth + [0] * fifth + drawn[2 * fifth :]


NUMBERS: dict[str, Callable[[random.Random], str]] = {
    "plain": lambda draw: repr(round(draw.gauss(50, 20), draw.randrange(1, 9))),
    "whole": lambda draw: str(draw.randrange(-1000, 1000)),
    "any": lambda draw: written(draw, any_float(draw)),
    "large": lambda draw: str(draw.randrange(2**64)),
    "zeros": lambda draw: draw.choice(["0", "-0", "0.0", "-0.0", "00", "+1", " 7 "]),
    "mostly plain": lambda draw: draw.choice(["1.5"] * 200 + ["1e-7", "1.50", "2", "0.00001"]),
    "long": lambda draw: repr(draw.random()),
    "huge": lambda draw: repr(draw.random() * 10.0 ** draw.randrange(10, 25)),
}


def labelled(draw: random.Random, rows: int, options: dict[str, Any]) -> tuple[list[str], str]:
    """Return labels of any task, which is put in the options, and how ARFF declares them."""
    task = draw.choice(["binary", "binary", "multiclass", "regression"])
    options["task"] = task
    if task == "binary":
        return [("no", "yes")[value] for value in labels(draw, rows)], "{yes, no}"
    if task == "multiclass":
        names = [f"k{number}" for number in range(draw.choice([2, 3, 10, 14]))]
        return [draw.choice(names) for _ in range(rows)], f"{{{', '.join(reversed(names))}}}"
    number = NUMBERS[draw.choice(["plain", "whole", "any", "large", "mostly plain"])]
    options["objective"] = draw.choice([None, None, None, "reg:gamma"])
    return [number(draw) for _ in range(rows)], "numeric"


def generated(seed: int) -> tuple[str, str, dict[str, Any]]:
    """Return a file's text and name, and what to ask of it, of any shape the formats allow."""
    draw = random.Random(seed)
    rows = draw.randrange(60, 500)
    width = draw.randrange(1, 6)
    arff = draw.random() < 0.4
    delimiter = "," if arff else draw.choice([",", ",", ";", "\t"])
    position = draw.choice([0, width, width, draw.randrange(width + 1)])
    kinds = [draw.choice(list(NUMBERS)) for _ in range(width)]
    columns = [[NUMBERS[kind](draw) for _ in range(rows)] for kind in kinds]
    options: dict[str, Any] = {"label": "y", "positive": "yes", "seed": draw.randrange(2**32)}
    if draw.random() < 0.3:
        options["missing"] = "pass"
        for column in columns:
            for row in range(0, rows, draw.randrange(2, 60)):
                column[row] = "?" if arff else draw.choice(["", "NA", "?"])
    types = ["numeric"] * width
    if draw.random() < 0.3:
        at = draw.randrange(width)
        values = ["b c", "a", "d", "é"]
        columns[at] = [draw.choice(values) for _ in range(rows)]
        types[at] = "{'b c', a, d, é}"
        options["categorical"] = (f"x{at}",)
        if arff:
            columns[at] = [f"'{value}'" if " " in value else value for value in columns[at]]
    quoted = not arff and draw.random() < 0.2
    label, declared = labelled(draw, rows, options)
    if quoted:
        label = [f'"{value}"' for value in label]
    columns.insert(position, label)
    types.insert(position, declared)
    names = [f"x{at}" for at in range(width)]
    names.insert(position, "y")
    lines = [delimiter.join(values) for values in zip(*columns, strict=True)]
    if draw.random() < 0.3:
        lines.insert(draw.randrange(rows), "")
    if arff:
        if draw.random() < 0.3:
            lines.insert(draw.randrange(rows), "% a comment")
        head = [f"@attribute {name} {kind}" for name, kind in zip(names, types, strict=True)]
        lines = ["@relation r", *head, "@data", *lines]
    else:
        lines.insert(0, delimiter.join(names))
    ends = draw.choice(["\n", "\n", "\r\n", "\r"])
    text = ends.join(lines) + draw.choice(["", ends])
    return draw.choice(["", "\ufeff"]) + text, "a.arff" if arff else "a.csv", options


def outcome(text: str, name: str, options: dict[str, Any]) -> Prepared | str:
    """Return what was prepared, or how it was refused."""
    try:
        return run(text, name, **options)
    except DataError as error:
        return f"{type(error).__name__}: {error}"
