"""The test rows of a regression. Pure."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Estimated(NamedTuple):
    """Rows of a regression, in order: labels and predictions, both of shape (n,)."""

    labels: NDArray[np.float64]
    predictions: NDArray[np.float64]
