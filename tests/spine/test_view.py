"""What all output to a terminal shares: signs, durations, times, steps and problems."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from spine import view
from spine.errors import CommandError
from spine.history import Status


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (59.96, "1m 00s"), (185, "3m 05s"), (7800, "2h 10m")],
)
def test_durations_read_as_people_say_them(seconds: float, words: str) -> None:
    """Tenths of seconds below a minute, whole seconds below an hour, minutes above."""
    assert view.duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "60 min"), (7200, "2 h"), (172800, "2 d")],
)
def test_how_long_since_or_until_is_told_in_one_unit(seconds: int, words: str) -> None:
    """Before and after alike."""
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for when in (now - timedelta(seconds=seconds), now + timedelta(seconds=seconds)):
        assert view.ago(when, now) == words


def test_a_time_of_today_needs_no_date() -> None:
    """Another day's comes with it, and without its seconds, in the zone of whoever reads."""
    now = datetime.now(UTC)
    assert view.moment(now) in {
        each.astimezone().strftime("%H:%M:%S") for each in (now, now - timedelta(seconds=1))
    }
    before = now - timedelta(days=2)
    assert view.moment(before) == before.astimezone().strftime("%Y-%m-%d %H:%M")


def printed(encoding: str = "utf-8") -> tuple[Console, io.BytesIO]:
    """A console of an encoding, and what is written to it."""
    written = io.BytesIO()
    file = io.TextIOWrapper(written, encoding=encoding, write_through=True)
    return Console(file=file, width=80), written


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "ascii", "latin-1"])
def test_signs_are_those_that_the_terminal_can_show(encoding: str) -> None:
    """Every status has one, and all of them can be written."""
    target, _ = printed(encoding)
    signs = view.marks(target)
    assert (signs.succeeded == "✓") is encoding.lower().startswith("utf")
    found = [signs.of(status) for status in Status]
    assert len(set(found)) == len(found)
    for sign in (*found, signs.bar, signs.only, signs.first, signs.between, signs.last):
        assert sign.encode(encoding)


def test_a_step_is_shown_with_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line: the sign, the title as it is, and how long it took."""
    times = iter([10.0, 12.5])
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    target, written = printed()
    with view.Steps(target).step("Start [/the] cloud") as step:
        step.update("[/half] way")
    (line,) = [each for each in written.getvalue().decode().splitlines() if each.strip()]
    assert line.split() == ["✓", "Start", "[/the]", "cloud", "2.5", "s"]


def test_a_step_that_fails_is_marked_and_its_error_goes_on() -> None:
    """Whoever shows the error says what it is."""
    target, written = printed()
    with pytest.raises(KeyboardInterrupt), view.Steps(target).step("Deploy"):
        raise KeyboardInterrupt
    assert written.getvalue().decode().strip().startswith("✗ Deploy")


def test_a_problem_is_what_the_details_and_what_to_do() -> None:
    """In this order; what looks like markup is shown as it is."""
    target, written = printed()
    view.problem(target, CommandError("It [failed].", details="one\ntwo [2]", remedy="Try again."))
    lines = written.getvalue().decode().splitlines()
    assert lines == ["✗ It [failed].", "    one", "    two [2]", "  Try again."]


def test_a_problem_without_more_is_one_line() -> None:
    """No empty line stands for details or a remedy that there is none of."""
    target, written = printed()
    view.problem(target, CommandError("It failed."))
    assert written.getvalue().decode() == "✗ It failed.\n"


def test_output_into_a_pipe_keeps_paths_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is 100 columns wide at least, whatever the terminal around it says."""
    monkeypatch.setenv("COLUMNS", "20")
    assert view.console(stderr=True).width == 100
    monkeypatch.setenv("COLUMNS", "140")
    assert view.console(stderr=True).width == 140
