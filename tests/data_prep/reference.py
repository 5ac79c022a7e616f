"""The notebook's own code: what the prepared files must equal, byte for byte."""

import io
import zipfile
from typing import Any

import pandas as pd
from scipy.io import arff
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder

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


def from_numbers(
    text: str, *, label: str, fractions: Fractions | None = None, seed: int = 42
) -> Files:
    """Prepare CSV text whose label is a number: the same code without classes."""
    frame = pd.read_csv(io.StringIO(text))
    return _divided(frame, label, fractions, seed, stratified=False)


def from_classes(
    text: str, *, label: str, fractions: Fractions | None = None, seed: int = 42
) -> Files:
    """Prepare CSV text whose label has several classes, numbered by scikit-learn."""
    frame = pd.read_csv(io.StringIO(text))
    frame[label] = LabelEncoder().fit_transform(frame[label])
    return _divided(frame, label, fractions, seed, stratified=True)


def from_zip(content: bytes, member: str) -> Files:
    """Prepare an ARFF member with the notebook's label, shares and seed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return from_arff(archive.read(member).decode())


def _files(
    frame: pd.DataFrame, positives: Any, label: str, fractions: Fractions | None, seed: int
) -> Files:
    frame[label] = positives.astype("int64")
    return _divided(frame, label, fractions, seed, stratified=True)


def _divided(
    frame: pd.DataFrame, label: str, fractions: Fractions | None, seed: int, *, stratified: bool
) -> Files:
    shares = fractions or Fractions()
    frame = frame[[label, *(name for name in frame.columns if name != label)]]
    train, rest = train_test_split(
        frame,
        test_size=shares.held_out,
        random_state=seed,
        stratify=frame[label] if stratified else None,
    )
    test, validate = train_test_split(
        rest,
        test_size=shares.validate_of_held_out,
        random_state=seed,
        stratify=rest[label] if stratified else None,
    )
    parts = {
        "train/train.csv": train,
        "test/test.csv": test,
        "validate/validate.csv": validate,
        "batch-in/batch-in.csv": test.drop(columns=label),
    }
    return {path: part.to_csv(header=False, index=False).encode() for path, part in parts.items()}
