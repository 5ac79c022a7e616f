"""The command that looks at a file: what it shows, writes and answers."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from spine import inspect as looking
from spine.app import app
from spine.errors import UsageError
from spine.output import read_input
from spine.view import PlainConsole

CASES = Path(__file__).parents[1] / "data_prep" / "cases"
ORDERS = CASES / "orders.csv"


def shown(path: Path, target: Console | None = None) -> str:
    """What a person sees."""
    console = target or PlainConsole(width=160)
    console.file = io.StringIO()
    looking.show(console, looking.look(path), path)
    return console.file.getvalue()


def test_the_file_its_columns_and_its_problems_are_shown() -> None:
    """With what solves each, and the input."""
    text = shown(ORDERS)
    assert "csv, 160 rows, encoding 'utf-8', delimiter ','" in text
    assert "order_id" in text
    assert "identifier" in text
    assert '{"source": {"drop": ["order_id"]}}' in text
    assert "The execution input" in text


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Comments say what was found; without them it is the input that was shown."""
    found = looking.look(ORDERS, label="returned")
    place = tmp_path / "input.json"
    looking.write(looking.written(found, ORDERS, place), place)
    text = place.read_text(encoding="utf-8")
    assert text.startswith("// What `spine inspect` found in orders.csv")
    assert f"--input {place}" in text
    assert "'O-10000' is not a number" in text
    assert read_input(str(place)) == found.input


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    """Nor is there a trace where it cannot be written."""
    place = tmp_path / "input.json"
    place.write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        looking.write("{}", place)
    assert place.read_text() == "mine"
    with pytest.raises(UsageError, match="cannot be written"):
        looking.write("{}", tmp_path / "nowhere" / "input.json")


def test_names_do_not_act_on_the_terminal_nor_end_a_comment(tmp_path: Path) -> None:
    """A column's name with an escape sequence, and one with a line end in quotes."""
    path = tmp_path / "x.csv"
    path.write_text(
        '"a\x1b[2J","b\n{""source"": 1}",y\n' + "u,1,p\nv,2,q\nw,3,q\n" * 20, encoding="utf-8"
    )
    text = shown(path)
    assert "\x1b" not in text
    assert "\\x1b[2J" in text
    found = looking.look(path)
    place = tmp_path / "input.json"
    looking.write(looking.written(found, path, place), place)
    assert read_input(str(place)) == found.input


def test_a_name_with_blanks_is_quoted_for_the_shell() -> None:
    """So that the command can be pasted."""
    command = looking.command(Path("my data.csv"), Path("in put.json"))
    assert command == "spine run --source 'my data.csv' --input 'in put.json'"


def test_the_command_answers_programs_and_writes(tmp_path: Path) -> None:
    """JSON alone on standard output; the exit code tells whether the file can be read."""
    place = tmp_path / "input.json"
    result = CliRunner().invoke(
        app, ["inspect", str(ORDERS), "--label", "returned", "--json", "--write", str(place)]
    )
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["label"] == "returned"
    assert document["input"] == read_input(str(place))
    assert document["columns"][0]["name"] == "order_id"
    path = tmp_path / "one.csv"
    path.write_text("a,y\n" + "1,x\n2,x\n" * 20)
    assert CliRunner().invoke(app, ["inspect", str(path)]).exit_code == 1


def test_what_cannot_be_read_is_said_by_name(tmp_path: Path) -> None:
    """A file that is not there, a folder, and one without a byte."""
    with pytest.raises(UsageError, match="cannot be read"):
        looking.look(tmp_path / "no.csv")
    with pytest.raises(UsageError, match="cannot be read"):
        looking.look(tmp_path)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(UsageError, match=r"empty\.csv"):
        looking.look(tmp_path / "empty.csv")
