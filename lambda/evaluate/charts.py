"""Charts as inline SVG text. Pure; colours are the page's own CSS variables.

Every chart has a title and a description for those who do not see it, and draws in a box of fixed
units that the page scales.
"""

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal, NamedTuple

_WIDTH, _HEIGHT = 480, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 16, 16, 52
# More points than a screen has pixels only make the file larger.
MOST_POINTS = 400
_FIFTHS = [(n / 5, f"{n / 5:.1f}") for n in range(6)]


def _x(value: float) -> float:
    return _LEFT + value * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float) -> float:
    return _HEIGHT - _BOTTOM - value * (_HEIGHT - _TOP - _BOTTOM)


def curve(
    points: Iterable[tuple[float, float]],
    *,
    name: str,
    title: str,
    description: str,
    x_label: str,
    y_label: str,
    baseline: tuple[tuple[float, float], tuple[float, float]],
    baseline_label: str,
    mark: tuple[float, float] | None,
    mark_label: str,
    steps: bool = False,
) -> str:
    """Draw a curve in the unit square with a dashed baseline and the threshold marked on it.

    Args:
        points: The curve, in drawing order.
        name: A word unique in the page, for the ids that tie title and description to the chart.
        title: What the chart is.
        description: What it shows, in a sentence.
        x_label: What runs along the bottom.
        y_label: What runs up the side.
        baseline: The two ends of what no skill would give.
        baseline_label: What to call that.
        mark: Where the threshold is on the curve, or None when it is nowhere.
        mark_label: What to write beside it.
        steps: Whether the curve keeps a point's height until the next point.
    """
    given = list(points)
    drawn = _thinned(given)
    # Between thinned points a step would be a stair that is not in the data.
    path = _path(drawn, steps=steps and len(drawn) == len(given))
    (x1, y1), (x2, y2) = baseline
    parts = [
        _unit_axes(x_label, y_label),
        _line("baseline", _x(x1), _y(y1), _x(x2), _y(y2)),
        f'<path class="area" d="{path} L{_x(1):.1f},{_y(0):.1f} L{_x(0):.1f},{_y(0):.1f} Z"/>',
        f'<path class="curve" d="{path}"/>',
        _text(_x(0.98), _y((y1 + y2) / 2 if y1 == y2 else 0.0) - 10, baseline_label, "note", "end"),
    ]
    if mark is not None:
        parts.append(_mark(*mark, mark_label))
    return _svg(name, title, description, parts)


def _mark(x: float, y: float, label: str) -> str:
    # Beside the point where there is room: towards the middle, and never above the frame.
    left = x > 0.55
    tx = _x(x) + (-14 if left else 14)
    ty = min(max(_y(y) + 22, _TOP + 14), _HEIGHT - _BOTTOM - 10)
    return (
        f'<circle class="halo" cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="8"/>'
        f'<circle class="mark" cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="5"/>'
        + _text(tx, ty, label, "mark-label", "end" if left else "start")
    )


def curves(
    lines: Sequence[Sequence[tuple[float, float]]],
    *,
    name: str,
    title: str,
    description: str,
    x_label: str,
    y_label: str,
    baseline_label: str,
) -> str:
    """Draw several curves in the unit square, each in a colour of its own, over its diagonal.

    Args:
        lines: The curves, each in drawing order; colour n is the page's class `cn`.
        name: A word unique in the page.
        title: What the chart is.
        description: What it shows, in a sentence.
        x_label: What runs along the bottom.
        y_label: What runs up the side.
        baseline_label: What to call the diagonal.
    """
    parts = [_unit_axes(x_label, y_label), _line("baseline", _x(0), _y(0), _x(1), _y(1))]
    for number, points in enumerate(lines):
        path = _path(_thinned(list(points)), steps=False)
        parts.append(f'<path class="curve c{number}" d="{path}"/>')
    parts.append(_text(_x(0.98), _y(0) - 10, baseline_label, "note", "end"))
    return _svg(name, title, description, parts)


def scatter(
    points: Sequence[tuple[float, float]],
    *,
    name: str,
    title: str,
    description: str,
    x_label: str,
    y_label: str,
    line: Literal["diagonal", "zero"],
) -> str:
    """Draw points on scales of their own, over the line they would lie on.

    Args:
        points: Them; at most a few hundred are drawn, evenly picked in their order.
        name: A word unique in the page.
        title: What the chart is.
        description: What it shows, in a sentence.
        x_label: What runs along the bottom.
        y_label: What runs up the side.
        line: Where both values are the same, or where y is 0.
    """
    across = _Scale.of([x for x, _ in points])
    up = _Scale.of([y for _, y in points] + ([0.0] if line == "zero" else []))
    if line == "diagonal":
        across = up = _Scale.of([value for point in points for value in point])
    parts = [_scaled_axes(across, up, x_label, y_label)]
    if line == "diagonal":
        parts.append(_line("baseline", _x(0), _y(0), _x(1), _y(1)))
    else:
        parts.append(_line("baseline", _x(0), _y(up.share(0)), _x(1), _y(up.share(0))))
    parts += [
        f'<circle class="dot" cx="{_x(across.share(x)):.1f}" cy="{_y(up.share(y)):.1f}" r="3.5"/>'
        for x, y in _thinned(list(points))
    ]
    return _svg(name, title, description, parts)


def bars(
    counts: Sequence[int],
    low: float,
    high: float,
    *,
    name: str,
    title: str,
    description: str,
    x_label: str,
    y_label: str,
) -> str:
    """Draw one distribution over equal bins from `low` to `high`, with a line at 0.

    Args:
        counts: Of the bins.
        low: Where the first begins; at most 0.
        high: Where the last ends; at least 0.
        name: A word unique in the page.
        title: What the chart is.
        description: What it shows, in a sentence.
        x_label: What runs along the bottom.
        y_label: What runs up the side.
    """
    across = _Scale.of([low, high])
    step = _nice_step(max(1, *counts))
    top = _ceiling(max(counts), step)
    up = _Scale(0, top, [(count, _count(count)) for count in range(0, top + 1, step)])
    width = (high - low) / len(counts)
    parts = [_scaled_axes(across, up, x_label, y_label)]
    for index, count in enumerate(counts):
        if count:
            x = _x(across.share(low + index * width)) + 1
            span = _x(across.share(low + (index + 1) * width)) - x - 1
            height = max(_y(0) - _y(up.share(count)), 1.5)
            parts.append(
                f'<rect class="zero" x="{x:.1f}" y="{_y(0) - height:.1f}" width="{span:.1f}"'
                f' height="{height:.1f}"/>'
            )
    parts.append(_line("baseline", _x(across.share(0)), _y(0), _x(across.share(0)), _y(1)))
    return _svg(name, title, description, parts)


class _Scale(NamedTuple):
    """An axis: its ends, and its ticks with their texts."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]

    @classmethod
    def of(cls, values: Sequence[float]) -> "_Scale":
        """Return an axis of round ends that holds the values."""
        low, high = min(values), max(values)
        if low == high:
            reach = abs(low) / 10 or 1.0
            low, high = low - reach, high + reach
        # 1, 2 or 5 times a power of ten that makes at most six steps.
        power = 10.0 ** math.floor(math.log10((high - low) / 6))
        step = next(f * power for f in (1, 2, 5, 10, 20) if (high - low) / (f * power) <= 6)
        first, last = math.floor(low / step), math.ceil(high / step)
        ticks = [(number * step, _short(number * step)) for number in range(first, last + 1)]
        return cls(first * step, last * step, ticks)

    def share(self, value: float) -> float:
        """Return where a value is, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)


def _short(value: float) -> str:
    """Write a tick's number in the little room there is beside the frame."""
    for least, factor, unit in ((1e12, 1, ""), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return f"{value / factor:.6g}{unit}"
    return f"{value:,.6g}"


def _scaled_axes(across: _Scale, up: _Scale, x_label: str, y_label: str) -> str:
    return _axes(
        [(_y(up.share(value)), text) for value, text in up.ticks],
        x_label,
        y_label,
        [(across.share(value), text) for value, text in across.ticks],
    )


def histogram(
    below: Sequence[int],
    above: Sequence[int],
    *,
    name: str,
    title: str,
    description: str,
    x_label: str,
    y_label: str,
    threshold: float | None,
    threshold_label: str,
    colours: tuple[str, str] = ("one", "zero"),
) -> str:
    """Draw two distributions back to back over 0 to 1: one class upwards, the other downwards.

    Args:
        below: Counts of equal bins, drawn downwards.
        above: Counts of the same bins, drawn upwards.
        name: A word unique in the page.
        title: What the chart is.
        description: What it shows, in a sentence.
        x_label: What runs along the bottom.
        y_label: What runs up the side.
        threshold: Where the vertical line is, from 0 to 1; None for no line.
        threshold_label: What to write beside it.
        colours: The page's classes of what is drawn upwards and downwards.
    """
    step = _nice_step(max(1, max(above, default=0), max(below, default=0)))
    up = _ceiling(max(above, default=0), step)
    down = _ceiling(max(below, default=0), step)

    def y(count: float) -> float:
        return _y((count + down) / (up + down))

    width = 1 / len(above)
    bars = []
    for index, (high, low) in enumerate(zip(above, below, strict=True)):
        x = _x(index * width) + 1
        span = _x(width) - _x(0) - 2
        for count, css in ((high, colours[0]), (-low, colours[1])):
            if count:
                # One row beside thousands must still be seen.
                height = max(abs(y(count) - y(0)), 1.5)
                top = y(0) - height if count > 0 else y(0)
                bars.append(
                    f'<rect class="{css}" x="{x:.1f}" y="{top:.1f}" width="{span:.1f}"'
                    f' height="{height:.1f}"/>'
                )
    ticks = [(y(count), _count(abs(count))) for count in range(-down, up + 1, step)]
    parts = [
        _axes(ticks, x_label, y_label),
        *bars,
        _line("axis", _x(0), y(0), _x(1), y(0)),
    ]
    if threshold is not None:
        parts += [
            _line("threshold", _x(threshold), _y(0), _x(threshold), _y(1)),
            _text(
                _x(threshold) + (-7 if threshold > 0.5 else 7),
                _y(1) + 12,
                threshold_label,
                "mark-label",
                "end" if threshold > 0.5 else "start",
            ),
        ]
    return _svg(name, title, description, parts)


def _count(count: int) -> str:
    return f"{count:,}" if count < 10_000 else f"{count / 1000:,g}k"


def _nice_step(largest: int) -> int:
    """Return 1, 2 or 5 times a power of ten that makes at most four steps of `largest`."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if largest <= 4 * factor * power:
                return factor * power
        power *= 10


def _ceiling(largest: int, step: int) -> int:
    """Return the next multiple of the step, at least one step."""
    return max(1, -(-largest // step)) * step


def _unit_axes(x_label: str, y_label: str) -> str:
    return _axes([(_y(share), text) for share, text in _FIFTHS], x_label, y_label)


def _axes(
    y_ticks: Iterable[tuple[float, str]],
    x_label: str,
    y_label: str,
    x_ticks: Iterable[tuple[float, str]] = _FIFTHS,
) -> str:
    parts = []
    for position, text in y_ticks:
        parts.append(_line("grid", _x(0), position, _x(1), position))
        parts.append(_text(_LEFT - 8, position + 4, text, "tick", "end"))
    for share, text in x_ticks:
        parts.append(_line("grid", _x(share), _y(0), _x(share), _y(1)))
        parts.append(_text(_x(share), _HEIGHT - _BOTTOM + 18, text, "tick", "middle"))
    middle = (_y(0) + _y(1)) / 2
    parts.append(_text(_x(0.5), _HEIGHT - 10, x_label, "label", "middle"))
    parts.append(
        f'<text class="label" text-anchor="middle" transform="translate(16 {middle:.1f})'
        f' rotate(-90)">{escape(y_label)}</text>'
    )
    return "".join(parts)


def _line(css: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, css: str, anchor: str = "start") -> str:
    return (
        f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def picked(count: int, most: int = MOST_POINTS) -> list[int]:
    """Return which of so many points are drawn: evenly, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [n * (count - 1) // (most - 1) for n in range(most)]


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [points[at] for at in picked(len(points))]


def _path(points: list[tuple[float, float]], *, steps: bool) -> str:
    first, *rest = [(f"{_x(x):.1f}", f"{_y(y):.1f}") for x, y in points]
    commands = [f"M{first[0]},{first[1]}"]
    for x, y in rest:
        commands.append(f"H{x} V{y}" if steps else f"L{x},{y}")
    return " ".join(commands)


def _svg(name: str, title: str, description: str, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-labelledby="{escape(name)}-title {escape(name)}-description">'
        f'<title id="{escape(name)}-title">{escape(title)}</title>'
        f'<desc id="{escape(name)}-description">{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )
