"""Nothing that is shown acts on the terminal."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table
from rich.text import Text

from spine import view
from spine.errors import CommandError
from spine.output import print_json
from spine.shipped import load
from tests.support import ROOT

HOSTILE = (
    "a\x1b[2Jb\x1b]0;title\x07c\x1b]8;;https://evil.example\x1b\\link\x9b31md\u202ee\u2066f\x7f"
    "\rg\x08h[bold red]i[/][link=https://evil.example]j[/link]:skull:\u200bk\u2028l\x00"
)
# What rich itself sends: colours, the cursor's moves of a live display, nothing with an address.
OWN = re.compile(r"\r?\x1b\[[0-9;?]*[mKAhlGJ]")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output counts as a terminal with colours."""
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "400", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)


def harmless(shown: str) -> str:
    """Return what was shown without rich's own sequences; nothing else may act."""
    left = OWN.sub("", shown)
    assert all(character.isprintable() or character == "\n" for character in left), ascii(left)
    return left


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    "what",
    [
        HOSTILE,
        Text(HOSTILE, style="bold"),
        Text.assemble(("x", "red"), HOSTILE),
        [HOSTILE],
        {"key": HOSTILE},
    ],
)
def test_a_text_is_shown_as_it_is(capsys: pytest.CaptureFixture[str], what: Any) -> None:
    """Escape sequences and marks are written out, markup and emoji codes are none."""
    view.console().print(what)
    shown = harmless(capsys.readouterr().out)
    assert "\\x1b[2J" in shown.replace("\\\\", "\\")
    assert "[bold red]i[/]" in shown
    assert ":skull:" in shown


@pytest.mark.usefixtures("terminal")
def test_tables_steps_and_problems_show_it_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever it stands in: titles, heads and cells, work under way, errors and remedies."""
    table = view.titled_table(HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    grid = Table.grid()
    grid.add_row(HOSTILE, Text(HOSTILE))
    target = view.console()
    target.print(table)
    target.print(grid)
    steps = view.Steps(target)
    with steps.step(HOSTILE) as step:
        step.update(HOSTILE)
    steps.note(HOSTILE)
    view.problem(target, CommandError(HOSTILE, remedy=HOSTILE, details=HOSTILE))
    shown = harmless(capsys.readouterr().out)
    assert shown.count("[bold red]i[/]") >= 9


def test_names_of_a_run_have_one_line_each() -> None:
    """A class of several lines would forge lines of the result."""
    document = {"a\nb": ["c\u2028d", {"e": "f\x1b"}, 1, None], "g": "h\u00a0i\u3000j"}
    assert view.one_line(document) == {
        "a\\nb": ["c\\u2028d", {"e": "f\\x1b"}, 1, None],
        "g": "h\u00a0i\u3000j",
    }


def test_json_for_programs_has_nothing_invisible(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the same document, every control and mark of it escaped as JSON has it."""
    print_json({"label": HOSTILE, "é": 1})
    shown = capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert json.loads(shown) == {"label": HOSTILE, "é": 1}
    assert "é" in shown


def test_a_record_of_the_log_has_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever counts as the end of a line somewhere."""
    load("common.log").event("x", label=f"{HOSTILE}\n\x85\u2029")
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == 1
    assert shown[:-1].isprintable()
    assert json.loads(shown)["label"] == f"{HOSTILE}\n\x85\u2029"


def calls(path: Path) -> list[str]:
    """Return what a module calls, as it is written."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_everything_is_shown_by_the_one_console() -> None:
    """No module makes a console of its own, prints past it, or reads markup."""
    # What a shell evaluates, the version, and JSON, whose tests are above.
    by_themselves = {("app.py", "typer.echo"), ("output.py", "sys.stdout.write")}
    found = {
        (path.name, call)
        for path in sorted((ROOT / "spine").rglob("*.py"))
        if path.parent.name != "samples"
        for call in calls(path)
        if call in ("print", "Console", "rich.print", "typer.echo", "typer.secho", "click.echo")
        or call.endswith((".from_markup", "stdout.write", "stderr.write", "secho", ".out"))
    }
    assert found == by_themselves
