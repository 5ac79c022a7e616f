"""What a command prints for programs, what it takes as input, and the files a run leaves here."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spine import output
from spine.errors import UsageError
from tests.spine import fakes


def test_one_document_is_printed_as_programs_read_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Letters of any alphabet stay, and what JSON has no form for becomes text."""
    output.print_json({"name": "données", "at": datetime(2026, 1, 2, tzinfo=UTC)})
    printed = capsys.readouterr()
    assert '"données"' in printed.out
    assert json.loads(printed.out) == {"name": "données", "at": "2026-01-02 00:00:00+00:00"}
    assert printed.err == ""


def test_no_input_is_an_empty_one() -> None:
    """Every field has its default then."""
    assert output.read_input(None) == {}


def test_an_input_is_read_from_the_command_line_a_file_or_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same object comes of each, blanks in front included; a `~` stands for the home."""
    given = ' {"split": {"seed": 7}}'
    (tmp_path / "input.json").write_text(given)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    for text in (given, str(tmp_path / "input.json"), "~/input.json", "-"):
        assert output.read_input(text) == {"split": {"seed": 7}}, text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[1]", "is a JSON list, not an object"),
        ('"{}"', "is a JSON string, not an object"),
        ("true", "is a JSON boolean, not an object"),
        ("1", "is a JSON number, not an object"),
        ("1.5", "is a JSON number, not an object"),
        ("null", "is a JSON null, not an object"),
        ('{"split": }', "is not JSON: "),
        ("", "is not JSON: "),
    ],
)
def test_an_input_that_is_no_object_is_refused_with_its_place_and_kind(
    tmp_path: Path, content: str, said: str
) -> None:
    """The file is named, and an input of the right form is shown."""
    path = tmp_path / "input.json"
    path.write_text(content)
    with pytest.raises(UsageError) as refused:
        output.read_input(str(path))
    assert refused.value.message.startswith(f"--input {path} {said}")
    assert "--input '{" in refused.value.remedy
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "place"), [("{", "--input is"), ("-", "--input from standard input is")]
)
def test_an_input_that_is_no_json_is_refused_by_where_it_came_from(
    monkeypatch: pytest.MonkeyPatch, text: str, place: str
) -> None:
    """What was typed is not repeated, and is not taken for the name of a file."""
    monkeypatch.setattr("sys.stdin", io.StringIO("{"))
    with pytest.raises(UsageError, match=f"^{place} not JSON"):
        output.read_input(text)


def test_an_input_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A name that nothing has, a folder, and a file that is no text."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe{}")
    for name, said in (
        ("absent.json", "is neither JSON nor a file"),
        ("", "cannot be read: "),
        ("binary", "cannot be read: "),
    ):
        with pytest.raises(UsageError, match=said):
            output.read_input(str(tmp_path / name))


def test_an_address_in_s3_is_a_bucket_and_a_key() -> None:
    """Slashes in the key stay."""
    assert output.split_s3("s3://bucket/runs/x/report.html") == ("bucket", "runs/x/report.html")
    assert output.split_s3("s3://bucket") == ("bucket", "")


def test_a_report_is_kept_beside_the_output_of_its_run(tmp_path: Path) -> None:
    """Both outlive the cloud, and a second look at the same run writes them again."""
    found = fakes.output()
    _, key = output.split_s3(found["artifacts"]["report"])
    s3 = fakes.S3()
    for page in (b"<html>first", b"<html>second"):
        s3.objects[key] = page
        path = output.fetch_report(s3, found, home=tmp_path)
        assert path == tmp_path / "runs" / fakes.RUN / "report.html"
        assert path.read_bytes() == page
        assert json.loads(path.with_name("output.json").read_text()) == found


@pytest.mark.parametrize("artifacts", [None, {}, {"report": None}])
def test_a_run_without_a_report_leaves_nothing_here(
    tmp_path: Path, artifacts: dict[str, Any] | None
) -> None:
    """A run that wants no batch writes none."""
    s3 = fakes.S3()
    assert output.fetch_report(s3, fakes.output(artifacts=artifacts), home=tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_lines_of_comments_are_no_part_of_an_input() -> None:
    """Those alone: an address keeps its slashes, and an error names the line it is on."""
    text = '// found\n{"source": {"uri": "https://x//y",\n  // why\n "label": "// y"}}'
    assert output.read_input(f"{{{text.partition('{')[2]}") == {
        "source": {"uri": "https://x//y", "label": "// y"}
    }
    assert output.without_comments(text).count("\n") == 3
    with pytest.raises(UsageError, match="line 2"):
        output.read_input('{\n"a": }')
