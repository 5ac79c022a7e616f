"""What several tasks measure alike. Pure."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# The normal quantile of a two-sided 95 % interval.
Z = 1.959963984540054


class Curve(NamedTuple):
    """A curve in the unit square: two arrays of one shape, in drawing order, and its area."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: float


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson's score."""
    share = part / whole
    spread = Z * math.sqrt(share * (1 - share) / whole + Z**2 / (4 * whole**2))
    middle = share + Z**2 / (2 * whole)
    scale = 1 + Z**2 / whole
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
