"""The synthetic sample is what its generator makes, and says that it is not real."""

import io
import json

from data_prep import Wanted, check, formats
from data_prep.source.examination import examine
from spine.samples import SAMPLE, generate


def test_the_committed_sample_is_the_generated_one() -> None:
    """Generating again gives the committed bytes."""
    assert generate.sample().encode() == SAMPLE.read_bytes()


def test_the_sample_says_that_it_is_synthetic() -> None:
    """Whoever opens the file reads it first, with how it was made and whose moments it has."""
    first, *rest = SAMPLE.read_text(encoding="utf-8").splitlines()
    assert first.startswith("% SYNTHETIC DATA. No row is a patient")
    header = "\n".join(rest)
    for fact in ("generate.py", "Barreto", "Neto", "10.24432/C5K89B", "CC BY 4.0"):
        assert fact in header


def test_the_sample_has_the_shape_of_the_real_data() -> None:
    """Same columns, classes and counts; values within the published ranges; the anatomy's sum."""
    stats = json.loads(SAMPLE.with_name("class_stats.json").read_text(encoding="utf-8"))
    content = SAMPLE.read_bytes()
    opened = formats.opened(examine(io.BytesIO(content), name=SAMPLE.name))
    table = check.table(opened, Wanted())
    values = {feature.name: feature.values for feature in table.features}
    assert list(values) == stats["columns"]
    assert dict(opened.rows.nominal) == {"class": ("Abnormal", "Normal")}
    for label, name in enumerate(("Normal", "Abnormal")):
        of_class = [row for row, which in enumerate(table.labels) if which == label]
        assert len(of_class) == stats["classes"][name]["n"]
        for column, column_values in values.items():
            low, high = (stats["classes"][name][end][column] for end in ("min", "max"))
            assert all(low <= column_values[row] <= high for row in of_class)
    sums = zip(values["pelvic_tilt"], values["sacral_slope"], strict=True)
    for incidence, parts in zip(values["pelvic_incidence"], sums, strict=True):
        assert abs(incidence - sum(parts)) < 1e-7
