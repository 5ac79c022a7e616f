"""The test rows of several classes. Pure."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Classified(NamedTuple):
    """Rows of several classes, in order.

    Attributes:
        labels: The number of each row's class, shape (n,).
        classes: The class predicted, shape (n,).
        probabilities: Of each class, shape (n, k), rows summing to 1; None when not predicted.
    """

    labels: NDArray[np.int64]
    classes: NDArray[np.int64]
    probabilities: NDArray[np.float64] | None
