"""The test rows of two classes. Pure."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Scored(NamedTuple):
    """Rows of two classes, in order: labels (0 or 1) and probabilities of 1, of shape (n,)."""

    labels: NDArray[np.int8]
    probabilities: NDArray[np.float64]
