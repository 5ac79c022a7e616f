"""The quality gate. Pure."""

from collections.abc import Mapping
from typing import Any, TypeAlias

# As `hold` returns it.
Gate: TypeAlias = dict[str, Any]


def hold(
    values: Mapping[str, Any],
    minimum: Mapping[str, float],
    maximum: Mapping[str, float],
    reasons: Mapping[str, str],
) -> Gate:
    """Hold the metrics to what is asked of them; one that is undefined does not pass.

    Args:
        values: The metrics.
        minimum: What some of them must not fall short of.
        maximum: What some of them must not exceed.
        reasons: Why some of them are undefined.

    Returns:
        `{"passed": bool, "checks": [{"metric", "minimum", "value", "passed"}]}`, with `maximum` in
        the place of `minimum` where that was asked; a check of an undefined metric has a `reason`.
    """
    checks: list[dict[str, Any]] = []
    for bound, asked in (("minimum", minimum), ("maximum", maximum)):
        for name, limit in asked.items():
            value = values[name]
            passed = value is not None and (
                value >= limit if bound == "minimum" else value <= limit
            )
            check = {"metric": name, bound: limit, "value": value, "passed": passed}
            checks.append(check | ({"reason": reasons[name]} if name in reasons else {}))
    return {"passed": all(check["passed"] for check in checks), "checks": checks}
