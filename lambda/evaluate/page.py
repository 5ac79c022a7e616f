"""The page a person reads: one HTML file that needs nothing else, not even a script. Pure.

Each task has a template that extends it, and a `report` beside that.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from .. import algorithms
from ..common.tasks import METRICS
from . import charts
from .gate import Gate
from .measure import Curve


def page(
    template: str,
    event: dict[str, Any],
    metrics: dict[str, Any],
    gate: Gate,
    **shown: Any,
) -> str:
    """Return the page of a template for the handler's event.

    Args:
        template: One that extends the page.
        event: The handler's.
        metrics: What was measured.
        gate: What was asked of it.
        **shown: What else the template shows, its `tiles` among it.
    """
    return _template(template).render(
        plan=event["plan"],
        prepared=event["prepared"],
        training=event["training"],
        model_data=event["model_data"],
        transform_job=event["transform_job"],
        metrics=metrics,
        gate=gate,
        names={name: metric.title for name, metric in METRICS.items()},
        algorithm=algorithms.of_plan(event["plan"]).title,
        **shown,
    )


@cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["metric"] = _metric
    environment.filters["reached"] = _reached
    environment.filters["number"] = number
    environment.filters["size"] = _size
    environment.filters["duration"] = _duration
    return environment.get_template(name)


def _metric(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _reached(check: dict[str, Any]) -> str:
    """Write a check's value, in full when rounding would hide that it falls short."""
    write = number if METRICS[check["metric"]].in_units else _metric
    text = write(check["value"])
    if check["value"] is None or check["passed"]:
        return text
    rounded = float(text.replace(",", ""))
    hidden = rounded >= check["minimum"] if "minimum" in check else rounded <= check["maximum"]
    return repr(check["value"]) if hidden else text


def number(value: float | None) -> str:
    """Write a number of any size to five digits."""
    if value is None:
        return "undefined"
    return f"{value:,.5g}" if abs(value) < 100_000 else f"{value:,.0f}"


def _size(count: int) -> str:
    """Write a number of bytes in the unit people use for it."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} GB"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def tiles(
    shown: Iterable[str],
    metrics: dict[str, Any],
    intervals: dict[str, tuple[float, float]],
    reasons: dict[str, str],
) -> list[dict[str, Any]]:
    """Lay out the metrics in the order given, with what is known of how sure they are."""
    return [
        {
            "name": METRICS[name].title,
            "text": (number if METRICS[name].in_units else _metric)(metrics[name]),
            "value": metrics[name],
            "interval": intervals.get(name),
            "reason": reasons.get(name),
        }
        for name in shown
    ]


def points(curve: Curve) -> list[tuple[float, float]]:
    """Return what is drawn of a curve, which may have a point for each of millions of rows."""
    drawn = charts.picked(len(curve.x))
    return list(zip(curve.x[drawn].tolist(), curve.y[drawn].tolist(), strict=True))


def safe(svg: str) -> Markup:
    """Mark a chart as safe to put in a page."""
    return Markup(svg)  # noqa: S704 (charts escapes every text it is given)
