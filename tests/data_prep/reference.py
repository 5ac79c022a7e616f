"""The notebook's own code: what the prepared files must equal, byte for byte."""

import io
import zipfile
from typing import Any

import pandas as pd
from scipy.io import arff
from sklearn.model_selection import train_test_split

from data_prep import Fractions

Files = dict[str, bytes]


def from_arff(
    text: str,
    *,
    label: str = "class",
    positive: str = "Abnormal",
    fractions: Fractions | None = None,
    seed: int = 42,
) -> Files:
    """Prepare ARFF text with scipy, pandas and scikit-learn."""
    frame = pd.DataFrame(arff.loadarff(io.StringIO(text))[0])
    return _files(frame, frame[label] == positive.encode(), label, fractions, seed)


def from_csv(
    text: str,
    *,
    label: str = "class",
    positive: str = "Abnormal",
    fractions: Fractions | None = None,
    seed: int = 42,
    delimiter: str = ",",
) -> Files:
    """Prepare CSV text with pandas and scikit-learn."""
    # Since pandas 3.1 the default reads each number as the nearest float ("round_trip" before).
    frame = pd.read_csv(io.StringIO(text), sep=delimiter)
    return _files(frame, frame[label].astype(str) == positive, label, fractions, seed)


def from_zip(content: bytes, member: str) -> Files:
    """Prepare an ARFF member with the notebook's label, shares and seed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return from_arff(archive.read(member).decode())


def _files(
    frame: pd.DataFrame, positives: Any, label: str, fractions: Fractions | None, seed: int
) -> Files:
    shares = fractions or Fractions()
    frame[label] = positives.astype("int64")
    frame = frame[[label, *(name for name in frame.columns if name != label)]]
    train, rest = train_test_split(
        frame, test_size=shares.held_out, random_state=seed, stratify=frame[label]
    )
    test, validate = train_test_split(
        rest, test_size=shares.validate_of_held_out, random_state=seed, stratify=rest[label]
    )
    parts = {
        "train/train.csv": train,
        "test/test.csv": test,
        "validate/validate.csv": validate,
        "batch-in/batch-in.csv": test.drop(columns=label),
    }
    return {path: part.to_csv(header=False, index=False).encode() for path, part in parts.items()}
