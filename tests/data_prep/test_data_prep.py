# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""The four files equal, byte for byte, those of the notebook's own code."""

import io
import random
import zipfile

import pytest

from data_prep import Fractions, prepare
from tests.data_prep import reference
from tests.data_prep.generated import any_float, labels, written
from tests.data_prep.support import run
from tests.support import SAMPLE, seeds

FRACTIONS = [
    Fractions(),
    Fractions(0.7, 0.15, 0.15),
    Fractions(0.6, 0.3, 0.1),
    Fractions(0.5, 0.2, 0.3),
    Fractions(0.34, 0.33, 0.33),
]


def prepared(text: str, name: str, **options: object) -> dict[str, bytes]:
    """Prepare text as a bare file."""
    return run(text, name, **options).files


def test_real_data_gives_the_notebooks_files() -> None:
    """The real data set, straight from its zip, gives the notebook's bytes and counts."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(SAMPLE, SAMPLE.name)
    content = archive.getvalue()
    outcome = prepare(
        io.BytesIO(content),
        name="vertebral+column.zip",
        sha256="2a9b58f5ff0d13843c17a2e6dcabd1866904fc6bc975d40f860fce3d2ec085da",
    )
    assert outcome.files == reference.from_zip(content, "column_2C_weka.arff")
    assert outcome.member.name == "column_2C_weka.arff"
    assert outcome.counts == {"train": 248, "test": 31, "validate": 31}
    assert outcome.positives == {"train": 168, "test": 21, "validate": 21}


@pytest.mark.parametrize("seed", seeds(30))
def test_generated_arff_gives_the_notebooks_files(seed: int) -> None:
    """ARFF of any size, notation, label position and share gives the notebook's bytes."""
    draw = random.Random(seed)
    rows, width = draw.randrange(60, 400), draw.randrange(1, 9)
    position = draw.randrange(width + 1)
    header = [
        f"@attribute x{at} {draw.choice(['numeric', 'REAL', 'integer'])}" for at in range(width)
    ]
    header.insert(position, "@ATTRIBUTE kind {yes, no}")
    lines = ["% generated", "@relation r", *header, "", "@data"]
    for label in labels(draw, rows):
        values = [written(draw, any_float(draw)) for _ in range(width)]
        values.insert(position, "yes" if label else "no")
        lines.append(",".join(values))
    text = "\n".join(lines) + draw.choice(["", "\n"])
    options = {
        "label": "kind",
        "positive": draw.choice(["yes", "no"]),
        "fractions": FRACTIONS[seed % len(FRACTIONS)],
        "seed": draw.choice([0, 1, 42, 2**32 - 1, draw.randrange(2**32)]),
    }
    expected = reference.from_arff(text, **options)  # type: ignore[arg-type]
    assert prepared(text, "data.arff", **options) == expected
    assert prepared(text.replace("\n", "\r\n"), "data.arff", **options) == expected


@pytest.mark.parametrize("seed", seeds(30))
def test_generated_csv_gives_the_files_of_pandas(seed: int) -> None:
    """CSV keeps whole-number columns whole, and every number prints as pandas prints it."""
    draw = random.Random(seed)
    rows = draw.randrange(60, 400)
    delimiter = draw.choice([",", ";", "\t"])
    columns = {
        "whole": [str(draw.randrange(-999, 999)) for _ in range(rows)],
        "signed": [draw.choice(["+7", "-0", "007", " 12"]) for _ in range(rows)],
        "large": [str(draw.randrange(-(2**63), 2**63)) for _ in range(rows)],
        "unsigned": [str(draw.randrange(2**62, 2**64)) for _ in range(rows)],
        "mixed": [str(draw.randrange(2**60)) for _ in range(rows - 1)] + ["0.5"],
        "zero": ["-0"] * (rows - 1) + ["1.5"],
        "real": [written(draw, any_float(draw)) for _ in range(rows)],
        "quoted": [f'"{draw.random()}"' for _ in range(rows)],
    }
    names = draw.sample(list(columns), draw.randrange(1, len(columns) + 1))
    columns["group"] = [("A b", "C")[label] for label in labels(draw, rows)]
    names.insert(draw.randrange(len(names) + 1), "group")
    lines = [delimiter.join(names)]
    lines += [delimiter.join(columns[name][row] for name in names) for row in range(rows)]
    text = draw.choice(["", "\ufeff"]) + "\n".join(lines) + "\n"
    options = {
        "label": "group",
        "positive": "C",
        "fractions": FRACTIONS[seed % len(FRACTIONS)],
        "seed": draw.randrange(2**32),
    }
    expected = reference.from_csv(
        text.removeprefix("\ufeff"),
        delimiter=delimiter,
        **options,  # type: ignore[arg-type]
    )
    assert prepared(text, draw.choice(["data.csv", "data"]), **options) == expected


def test_numeric_labels_compare_by_value() -> None:
    """A label written 1 and 0.0 is matched by the positive value "1.0", as numbers."""
    text = "x,class\n" + "".join(f"{row},{('1', '0.0')[row % 2]}\n" for row in range(40))
    outcome = run(text, "a.csv", positive="1.0")
    assert outcome.classes == ("0.0", "1")
    assert outcome.labels == bytes([1, 0] * 20)
