"""The picture of a run."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from spine import history, live, view
from spine.history import State
from tests.spine.stories import BEGIN, Story
from tests.spine.test_history import recorded


def painted(states: tuple[State, ...], *, width: int, encoding: str = "utf-8") -> list[str]:
    """The lines of the picture, as a terminal of that width shows them."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, width=width)
    now = BEGIN + timedelta(seconds=4)
    console.print(live.table(states, now, signs=view.marks(console), width=width))
    file.flush()
    file.seek(0)
    return [line.rstrip() for line in file.read().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_broken_and_no_name_cut(width: int) -> None:
    """At any usual width each state has one line, with its whole name and its duration."""
    lines = painted(recorded("succeeded"), width=width)
    names = {state.name for state in history.walk(recorded("succeeded"))}
    assert max(map(len, lines)) <= width
    assert all(line.endswith(" s") for line in lines)
    shown = {name for name in names if any(name in line for line in lines)}
    assert names - shown == {"Endpoint wanted?", "Batch wanted?", "Endpoint in service?"} | (
        names & {"Keep the endpoint?"}
    )


def test_branches_stand_in_brackets_of_their_own() -> None:
    """Each branch of a Parallel begins and ends with its own bracket."""
    lines = painted(recorded("succeeded"), width=80)
    inside = [line.strip()[0] for line in lines if line.startswith("  ")]
    assert inside.count("╭") == inside.count("╰") == 2


def test_a_branch_of_one_state_has_no_open_bracket() -> None:
    """A single state is marked as a branch whole in itself."""
    story = Story()
    story.enter("Both", kind="Parallel")
    fork = story.add("ParallelStateStarted")
    story.task("No endpoint", after=fork)
    assert painted(history.read(story.events), width=80)[1].startswith("  ─ ✓ No endpoint")


def test_what_a_state_did_stands_beside_it() -> None:
    """Rows, metrics and deletions are told in a few words."""
    lines = painted(recorded("succeeded"), width=80)
    for words in ("248 train, 31 test, 31 validate", "validation auc 0.9", "test AUC", "10 rows"):
        assert any(words in line for line in lines), words


def test_a_terminal_without_unicode_gets_plain_signs() -> None:
    """Where the signs cannot be encoded others stand for them, and nothing fails."""
    lines = painted(recorded("failed"), width=120, encoding="ascii")
    assert lines[0].startswith("+ Plan the run")
    assert any(line.startswith("x Serve and score") for line in lines)


def test_plain_lines_tell_each_state_once_in_the_order_they_ended() -> None:
    """Into a file or pipe every state is one line when it ends, however often it is looked at."""
    file = io.StringIO()
    with live.watch(Console(file=file, width=80)) as watch:
        for _ in range(3):
            watch.show(recorded("succeeded"))
    lines = file.getvalue().splitlines()
    names = [line.split(" s ", 1)[1].split("(")[0].strip() for line in lines]
    assert len(names) == len(set(names))
    assert names.index("Evaluate") < names.index("Serve and score") < names.index("Finish")


def test_a_state_that_goes_on_is_mentioned_now_and_then() -> None:
    """A long state shows signs of life in a log, not a line for each look."""
    story = Story()
    story.enter("Train the model")
    story.schedule()
    file = io.StringIO()
    with live.watch(Console(file=file, width=80)) as watch:
        for _ in range(5):
            watch.show(history.read(story.events))
    assert file.getvalue().count("Train the model") == 1
