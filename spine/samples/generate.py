"""Generate the synthetic sample: `python -m spine.samples.generate` rewrites the committed file.

Each class is drawn from a multivariate normal distribution with the mean and the covariance
published for it (`class_stats.json`); a row outside the published range is drawn again, so nothing
piles up at the limits. No row is a patient. `pelvic_incidence` is `pelvic_tilt + sacral_slope`, as
anatomy has it and the real data keeps it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spine.samples import SAMPLE

_STATS = Path(__file__).with_name("class_stats.json")
_SEED = 212
_DECIMALS = 8

_HEADER = """\
% SYNTHETIC DATA. No row is a patient, and nothing medical can be learnt from this file.
%
% Drawn by spine/samples/generate.py (seed {seed}) from a multivariate normal distribution for each
% class, with the means, covariances and ranges of the real data set in class_stats.json; rows
% outside the ranges were drawn again, which moves the means a little. It stands in for the real
% data where that cannot be had.
%
% The moments are those of: Vertebral Column, UCI Machine Learning Repository, id 212,
% Guilherme Barreto and Ajalmar Neto, https://doi.org/10.24432/C5K89B, CC BY 4.0.

@relation vertebral_synthetic
"""


def sample() -> str:
    """Return the sample as ARFF text, the same on every machine."""
    published = json.loads(_STATS.read_text(encoding="utf-8"))
    columns: list[str] = published["columns"]
    classes: dict[str, Any] = published["classes"]
    # RandomState's stream is frozen (NumPy Enhancement Proposal 19); that of Generator is not.
    random = np.random.RandomState(_SEED)
    rows = [
        (row, name)
        for name, stats in classes.items()
        for row in _draw(random, columns, stats).tolist()
    ]
    order = random.permutation(len(rows))
    lines = [_HEADER.format(seed=_SEED)]
    lines += [f"@attribute {column} numeric" for column in columns]
    lines += [f"@attribute class {{{', '.join(sorted(classes))}}}", "", "@data"]
    lines += [",".join([*map(repr, rows[at][0]), rows[at][1]]) for at in order]
    return "\n".join(lines) + "\n"


def _draw(
    random: np.random.RandomState, columns: list[str], stats: dict[str, Any]
) -> NDArray[np.float64]:
    """Return `stats["n"]` rows of one class, all within its published range."""
    incidence, tilt, slope = map(columns.index, ("pelvic_incidence", "pelvic_tilt", "sacral_slope"))
    # pelvic_incidence is a sum of two others: with it the covariance has no Cholesky factor.
    free = [at for at in range(len(columns)) if at != incidence]
    mean, low, high = (
        np.array([stats[key][column] for column in columns]) for key in ("mean", "min", "max")
    )
    factor = np.linalg.cholesky(np.array(stats["cov"])[np.ix_(free, free)])
    kept: list[NDArray[np.float64]] = []
    while len(kept) < stats["n"]:
        row = np.empty(len(columns))
        row[free] = np.round(mean[free] + factor @ random.standard_normal(len(free)), _DECIMALS)
        row[incidence] = np.round(row[tilt] + row[slope], _DECIMALS)
        if np.all((row >= low) & (row <= high)):
            kept.append(row)
    return np.array(kept)


if __name__ == "__main__":
    SAMPLE.write_text(sample(), encoding="utf-8", newline="\n")
    print(f"Wrote {SAMPLE}")
