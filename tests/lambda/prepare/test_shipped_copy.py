"""The copy of the default source: UCI's own file, for when UCI's archive cannot be read."""

import hashlib
import io
import subprocess
from typing import Any

import pytest

from spine.shipped import load
from stacks.bundling import BUNDLES, JOB
from tests.preparing import plan
from tests.support import ROOT, FakeS3

prepare = load("prepare.handler")
fetch = load("common.fetch")
default = load("common.default_source")
copy = load("prepare.shipped_copy")


def default_plan() -> dict[str, Any]:
    """What the plan of `{}` says of the source."""
    return plan(uri=default.UCI, member=default.MEMBER, sha256=default.MEMBER_SHA256)


@pytest.fixture
def away(stored: FakeS3, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """UCI cannot be read; what was tried, by how it was set up."""
    tried = []

    def fail(self: Any, uri: str) -> Any:
        tried.append((uri, self.attempts, self.seconds))
        raise fetch.SourceNotAllowedError(f"{uri} does not prove its name (expired).")

    monkeypatch.setattr(fetch.Web, "fetch", fail)
    return tried


def test_the_copy_is_the_file_that_runs_are_pinned_to() -> None:
    """To the byte; who made it, and under which license, lies beside it."""
    assert hashlib.sha256(copy.FILE.read_bytes()).hexdigest() == default.MEMBER_SHA256
    notice = copy.FILE.with_name("LICENSE.txt").read_text()
    for fact in ("Guilherme Barreto", "Ajalmar Neto", "10.24432/C5K89B", "CC BY 4.0", "unchanged"):
        assert fact in notice


@pytest.mark.process
def test_git_keeps_its_windows_line_ends() -> None:
    """Whatever a person's git is told of line ends in general."""
    words = ["git", "check-attr", "text", "--", str(copy.FILE)]
    said = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
    assert said.stdout.endswith("text: unset\n")


def test_the_copy_is_where_data_is_prepared() -> None:
    """In the function's bundle and in the jobs' archive, and in no other."""
    place = copy.FILE.relative_to(ROOT)
    found = {each.name for each in (*BUNDLES.values(), JOB) if place in each.sources()}
    assert found == {"prepare", "prepare_job"}


def test_where_uci_cannot_be_read_the_copy_is_prepared(stored: FakeS3, away: list[Any]) -> None:
    """The output says so, and why; UCI is asked no longer than a small file takes."""
    result = prepare.handler({"plan": default_plan()}, None)
    assert result["counts"] == {"train": 248, "test": 31, "validate": 31}
    assert result["source"]["sha256"] == default.MEMBER_SHA256
    assert result["source"]["uri"] == default.UCI
    said = result["source"]["fallback"]
    assert said.startswith("Read from the copy that ships with Spine. SourceNotAllowedError: ")
    assert "does not prove its name" in said
    assert away == [(default.UCI, 2, 60)]


def test_where_uci_can_be_read_it_is(stored: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy is not touched, and the output names none."""
    content = copy.FILE.read_bytes()
    monkeypatch.setattr(
        fetch.Web,
        "fetch",
        lambda _self, _uri: fetch.Fetched(io.BytesIO(content), default.MEMBER),
    )
    monkeypatch.setattr(copy, "FILE", ROOT / "nowhere")
    assert prepare.handler({"plan": default_plan()}, None)["source"]["fallback"] is None


@pytest.mark.parametrize(
    "source",
    [
        {"member": "column_3C_weka.arff"},
        {"sha256": "0" * 64},
        {"uri": "https://archive.ics.uci.edu/static/public/1/other.zip"},
    ],
)
def test_the_copy_stands_in_for_no_other_file(away: list[Any], source: dict[str, str]) -> None:
    """Who asks for another member, or for other bytes, gets the error."""
    asked = plan(**{**default_plan()["source"], **source})
    with pytest.raises(fetch.SourceNotAllowedError):
        prepare.handler({"plan": asked}, None)
    assert len(away) == 1
