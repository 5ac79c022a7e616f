# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""Every bad input is refused by a class of its own, saying where and what to do."""

import gzip
import io
import os
import random

import pytest

from data_prep import DataError, Limits, prepare
from tests.data_prep.bad_files import BAD
from tests.data_prep.building import ARFF, CSV, DEFLATED, HEAD, ROWS, Bad, zipped
from tests.data_prep.support import Machines, errors, run
from tests.support import REAL_DATA, ROOT, needs_real_data

DOCUMENTATION = ROOT / "docs" / "data-preparation.md"


@pytest.mark.parametrize("how", ["small", "large", "several machines"])
@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_refused_by_name_with_a_remedy(case: Bad, how: str) -> None:
    """A bad input is refused by its own class, whatever its size, with what to do about it."""
    options = dict(case.options)
    if how == "large":
        options["limits"] = options.get("limits", Limits())._replace(small_bytes=0)
    if how == "several machines":
        options["spread"] = Machines()
    with pytest.raises(DataError) as caught:
        run(case.content, case.name, **options)
    assert type(caught.value) is case.error, caught.value
    for text in case.says:
        assert text in str(caught.value)
    assert str(caught.value).endswith(caught.value.remedy)
    assert caught.value.remedy.endswith(".")


def test_every_refusal_has_a_case() -> None:
    """Each class of refusal is raised by one of the bad inputs above."""
    tested = {case.error for case in BAD.values()}
    different = {(case.content, case.name, repr(case.options)) for case in BAD.values()}
    assert len(different) == len(BAD) >= 100, "a bad input is told twice, or too few are"
    assert set(DataError.__subclasses__()) == tested
    assert all(error.__name__.endswith("Error") and error.__doc__ for error in tested)


def test_every_refusal_is_documented() -> None:
    """With when it is met, and what an example of it says is to be done.

    `REWRITE_DOCS=1 pytest tests/data_prep/test_refusals.py -k documented` writes the table anew.
    """
    table = []
    for error in dict.fromkeys(case.error for case in BAD.values()):
        case = next(case for case in BAD.values() if case.error is error)
        with pytest.raises(error) as caught:
            run(case.content, case.name, **case.options)
        table.append(f"| `{error.__name__}` | {error.__doc__} | {caught.value.remedy} |\n")
    text = DOCUMENTATION.read_text(encoding="utf-8")
    before, head, rest = text.partition("| error | when | remedy |\n|---|---|---|\n")
    after = rest[rest.index("| `Source") :]
    expected = "".join([before, head, *table, after])
    if os.environ.get("REWRITE_DOCS"):
        DOCUMENTATION.write_text(expected, encoding="utf-8")
    assert DOCUMENTATION.read_text(encoding="utf-8") == expected


GOOD: dict[str, tuple[bytes, str]] = {
    "arff": (ARFF.encode(), "x.arff"),
    "csv": (CSV.encode(), "x.csv"),
    "zip": (zipped(("data.arff", ARFF), ("readme.txt", "hello"), **DEFLATED), "x.zip"),
    "gzip": (gzip.compress(CSV.encode(), mtime=0), "x.csv.gz"),
}


@pytest.mark.parametrize("kind", GOOD)
def test_damage_at_random_is_never_uncaught(kind: str) -> None:
    """Bytes changed, cut, doubled or inserted at random end in a result or a DataError, only."""
    content, name = GOOD[kind]
    draw = random.Random(kind)
    tokens = [b"?", b"'", b'"', b"{", b"}", b"%", b"\\", b"\0", b"\r", b"@data", b"\xff", b"1e999"]
    refused = 0
    for _ in range(700):
        damaged = bytearray(content)
        for _ in range(draw.choice([1, 1, 2, 8])):
            at = draw.randrange(len(damaged) + 1)
            how = draw.randrange(4)
            if how == 0:
                damaged[at : at + 1] = bytes([draw.randrange(256)])
            elif how == 1:
                del damaged[at : at + draw.randrange(1, 20)]
            elif how == 2:
                damaged[at:at] = draw.choice(tokens)
            else:
                damaged[at:at] = damaged[at : at + draw.randrange(1, 30)]
        try:
            prepare(io.BytesIO(bytes(damaged)), name=name)
        except DataError:
            refused += 1
    assert 100 < refused < 700, "some of the damage must matter, and some not"


def test_a_long_run_of_blanks_takes_no_time() -> None:
    """Quoted values beside a megabyte of blanks are split in linear time."""
    text = f"{HEAD}@data\n'1',2{' ' * 900_000},'Abnormal'\n{ROWS}"
    outcome = prepare(io.BytesIO(text.encode()), name="x.arff")
    assert len(outcome.labels) == 41


@needs_real_data
def test_the_three_class_member_is_refused() -> None:
    """The other ARFF member of the real archive is refused, and its three classes named."""
    with pytest.raises(errors.TooManyClassesError, match="'Hernia', 'Spondylolisthesis', 'Normal'"):
        prepare(
            io.BytesIO(REAL_DATA.read_bytes()), name=REAL_DATA.name, member="column_3C_weka.arff"
        )
