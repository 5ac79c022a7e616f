"""What every room has for each format of the registry: one that is forgotten anywhere fails."""

import io
import re
from typing import get_args

import pytest

from data_prep import formats
from data_prep.formats.base import Format
from data_prep.source.examination import examine
from spine.shipped import load
from tests.data_prep.formats.samples import ASKED, SAMPLES
from tests.data_prep.support import BULK, STREAMED, Machines, run
from tests.support import ROOT

EACH = pytest.mark.parametrize("each", formats.FORMATS.values(), ids=list(formats.FORMATS))


def test_every_format_has_a_sample() -> None:
    """What follows, and the fuzzer, prepare them."""
    assert set(SAMPLES) == set(formats.FORMATS)


@EACH
def test_a_sample_is_recognised_with_a_suffix_and_without(each: Format) -> None:
    """By its name's end, by its bytes, and by its name in the options."""
    for name, kind in ((f"x{each.suffixes[0]}", None), ("x", None), ("x", each.name)):
        file = examine(io.BytesIO(SAMPLES[each.name]()), name=name)
        assert formats.recognised(file, kind) is each


@EACH
def test_a_sample_is_prepared_alike_however_large_it_is_taken_for(each: Format) -> None:
    """As a small file, as a large one twice in this process, and on several machines."""
    content = SAMPLES[each.name]()
    asked = ASKED.get(each.name, {})
    small = run(content, "x", **asked)
    for _ in range(2):
        large = run(content, "x", limits=BULK, **asked)
        assert large.files == small.files
        assert large.profile == small.profile
    machines = Machines()
    spread = run(content, "x", spread=machines, **asked)
    streamed = run(content, "x", limits=STREAMED, **asked)
    assert spread.profile == streamed.profile == {**small.profile, "order": "file"}
    files = {**spread.files, **machines.files}
    for path, whole in streamed.files.items():
        parts = sorted(name for name in files if name.startswith(path.partition("/")[0]))
        assert b"".join(files[part] for part in parts) == whole


@EACH
def test_the_plan_knows_the_format(each: Format) -> None:
    """Its bundle has no `data_prep`: the names are those of the execution input, all of them."""
    kinds = get_args(load("plan.sections").Format.model_fields["kind"].annotation)
    names = {name for kind in kinds for name in get_args(kind)}
    assert names == set(formats.FORMATS)
    packed = load("plan.engines").PACKED
    assert all((suffix in packed) == each.is_packed for suffix in each.suffixes)


@EACH
def test_the_documentation_names_the_format(each: Format) -> None:
    """As a value of the field that tells it."""
    text = (ROOT / "docs" / "data-preparation.md").read_text(encoding="utf-8")
    field = re.search(r"^\| `format.kind` .*$", text, re.MULTILINE)
    assert field is not None
    assert f"`{each.name}`" in field[0]


def test_every_reader_has_tests_of_its_name() -> None:
    """A format's own notation is shown beside what all formats share."""
    readers = {path.name for path in (ROOT / "data_prep" / "formats").glob("[!_]*.py")} - {
        "base.py"
    }
    tests = {path.name for path in (ROOT / "tests" / "data_prep" / "formats").glob("test_*.py")}
    assert {f"test_{name}" for name in readers} <= tests
