"""Which file of an archive is read."""

import io
import warnings
import zipfile

import pytest

from data_prep import prepare
from tests.data_prep.formats.samples import ARFF, CSV
from tests.data_prep.support import zipped


@pytest.mark.parametrize(
    ("archive", "wanted", "found"),
    [
        (zipped(data__csv=CSV), None, "data.csv"),
        (zipped(data__csv=CSV, README__txt="x"), None, "data.csv"),
        (zipped(data=CSV), None, "data"),
        (zipped(d_in_data__arff=ARFF), "data.arff", "d/data.arff"),
        (zipped(a__arff=ARFF, column_2C_weka__arff=ARFF), None, "column_2C_weka.arff"),
        (zipped(a__arff=ARFF, column_2C_weka__arff=ARFF), "a.arff", "a.arff"),
        (zipped(data__csv=CSV, d_in___data__csv="x"), None, "data.csv"),
    ],
)
def test_the_member_that_fits_is_read(archive: io.BytesIO, wanted: str | None, found: str) -> None:
    """The member asked for, else the only data file, else the notebook's."""
    assert prepare(archive, name="x.zip", member=wanted).member.name == found


def test_folders_and_their_odd_names_are_passed_over() -> None:
    """The UCI archive holds a folder named "/", which harms nobody."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("/", "")
        archive.writestr("data.csv", CSV)
    assert prepare(buffer, name="x.zip").member.name == "data.csv"


def test_a_member_without_a_name_is_passed_over() -> None:
    """A nameless entry, which zipfile itself stumbles on, does not hide the data."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("?", "")
        archive.writestr("data.csv", CSV)
    content = buffer.getvalue()
    at = content.index(b"PK\x01\x02")
    nameless = bytearray(content[: at + 28] + b"\0\0" + content[at + 30 : at + 46])
    nameless += content[at + 47 : -22] + content[-22:]
    size = int.from_bytes(content[-10:-6], "little") - 1
    nameless[-10:-6] = size.to_bytes(4, "little")
    assert prepare(io.BytesIO(nameless), name="x.zip").member.name == "data.csv"


def test_the_source_stays_open() -> None:
    """The caller's file is read and not closed."""
    for source in (io.BytesIO(CSV.encode()), zipped(data__csv=CSV)):
        prepare(source, name="data.csv" if source.getvalue()[:1] == b"a" else "x.zip")
        assert not source.closed
