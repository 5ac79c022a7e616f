"""Charts that are well-formed, whatever they draw."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from spine.shipped import load
from tests.evaluation import HOSTILE

charts = load("evaluate.charts")


def draw_curve(points: list[tuple[float, float]], **options: Any) -> ET.Element:
    """Draw a curve and parse it, which fails unless it is well-formed."""
    svg = charts.curve(
        points,
        name="n",
        title=HOSTILE,
        description="a & b",
        x_label="<x>",
        y_label="<y>",
        baseline=((0, 0), (1, 1)),
        baseline_label="<b>",
        **{"mark": (0.5, 0.5), "mark_label": "<m>"} | options,
    )
    return ET.fromstring(svg)  # noqa: S314 (made by the line above)


def test_a_chart_says_what_it_is() -> None:
    """Its title and description are tied to it by id, and all its text is escaped."""
    svg = draw_curve([(0, 0), (1, 1)])
    title, description = list(svg)[:2]
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert (title.text, description.text) == (HOSTILE, "a & b")
    texts = {element.text for element in svg.iter("text")}
    assert {"<x>", "<y>", "<b>", "<m>", "0.0", "1.0"} <= texts


def test_a_mark_is_drawn_only_where_there_is_one() -> None:
    """A threshold above every score has no place on a precision-recall curve."""
    assert draw_curve([(0, 0), (1, 1)]).find("circle") is not None
    assert draw_curve([(0, 0), (1, 1)], mark=None).find("circle") is None


def test_a_long_curve_is_thinned_but_keeps_its_ends() -> None:
    """Half a million rows must not make a report of megabytes."""
    points = [(n / 100_000, (n / 100_000) ** 0.5) for n in range(100_001)]
    path = draw_curve(points).findall("path")[1].get("d") or ""
    commands = path.split()
    assert len(commands) == 400
    first, last = commands[0], commands[-1]
    assert first == draw_curve(points[:1]).findall("path")[1].get("d")
    assert last.endswith(draw_curve(points[-1:]).findall("path")[1].get("d", "")[1:])


@pytest.mark.parametrize(
    ("above", "below", "ticks"),
    [
        ([0, 0], [0, 0], ["1", "0", "1"]),
        ([3, 0], [0, 2], ["2", "1", "0", "1", "2", "3"]),
        ([40_000, 1], [1, 1], ["10k", "0", "10k", "20k", "30k", "40k"]),
    ],
)
def test_the_histograms_axis_fits_both_sides(
    above: list[int], below: list[int], ticks: list[str]
) -> None:
    """Round counts, zero included, enough for the highest bar of each side."""
    svg = ET.fromstring(  # noqa: S314 (our own)
        charts.histogram(
            below,
            above,
            name="n",
            title="t",
            description="d",
            x_label="x",
            y_label="y",
            threshold=0.65,
            threshold_label="threshold",
        )
    )
    labels = [e.text for e in svg.iter("text") if e.get("text-anchor") == "end"]
    assert labels[: len(ticks)] == ticks
    for bar in svg.iter("rect"):
        assert float(bar.get("height", "0")) > 0
        assert 14 <= float(bar.get("y", "0")) <= 348


@pytest.mark.parametrize(
    ("low", "high", "first", "last"),
    [(0.0, 9.7, "0", "10"), (-0.003, 0.0011, "-0.003", "0.002"), (5.0, 5.0, "4.4", "5.6"),
     (-2e6, 3e6, "-2M", "3M"), (5e3, 34e4, "0", "400k")],
)  # fmt: skip
def test_scales_have_round_ends_that_hold_every_point(
    low: float, high: float, first: str, last: str
) -> None:
    """Whatever the unit, points lie within the frame and ticks read easily."""
    svg = ET.fromstring(  # noqa: S314 (our own)
        charts.scatter(
            [(low, low), (high, high)],
            name="n",
            title="t",
            description="d",
            x_label="x",
            y_label="y",
            line="diagonal",
        )
    )
    ticks = [e.text for e in svg.iter("text") if e.get("class") == "tick"]
    assert first in ticks
    assert last in ticks
    for dot in svg.iter("circle"):
        assert 62 <= float(dot.get("cx", "0")) <= 464
        assert 16 <= float(dot.get("cy", "0")) <= 348
