"""An execution while it runs: every state with its duration, parallel branches side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from spine.history import State, Status
from spine.notes import note
from spine.view import STYLES, Marks, duration, marks

_LONGEST = 120
# Below this width the notes need the room that the time line would take.
_ROOM_FOR_A_TIME_LINE = 110
_TIME_LINE = 28
# How often a state that goes on is mentioned where lines cannot be redrawn.
_REMINDER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a state, the guide that draws its branch, and how many branches it is in."""

    guide: str
    state: State
    depth: int = 0


def rows(states: Sequence[State], signs: Marks) -> Iterator[Row]:
    """The lines of some states in order, with brackets around the branches of a Parallel.

    A Choice whose name asks a question is left out: the state it leads to is the answer.
    """
    for state in states:
        if state.kind == "Choice" and state.name.endswith("?"):
            continue
        yield Row("", state)
        for branch in state.branches:
            inner = list(rows(branch, signs))
            for position, row in enumerate(inner):
                bracket = _bracket(position, len(inner), signs)
                yield Row(f"  {bracket} {row.guide}", row.state, row.depth + 1)


def _bracket(position: int, count: int, signs: Marks) -> str:
    if count == 1:
        return signs.only
    if position == 0:
        return signs.first
    return signs.last if position == count - 1 else signs.between


class Watch(Protocol):
    """Shows an execution's states as they change."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last picture standing."""

    def show(self, states: Sequence[State]) -> None:
        """Take the newest states."""


def watch(target: Console) -> Watch:
    """A live table on a terminal, plain lines anywhere else."""
    return _Table(target) if target.is_terminal and not target.is_dumb_terminal else _Lines(target)


class _Table:
    def __init__(self, target: Console) -> None:
        self._marks = marks(target)
        self._console = target
        self._states: Sequence[State] = ()
        self._spinner = Spinner(self._marks.spinner, style="cyan")
        self._live = Live(
            console=target, get_renderable=self._render, refresh_per_second=10, transient=False
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, states: Sequence[State]) -> None:
        self._states = states
        self._live.refresh()

    def _render(self) -> RenderableType:
        turned = self._spinner.render(self._console.get_time())
        return table(
            self._states,
            datetime.now(UTC),
            signs=self._marks,
            # Room for the ^C that the terminal writes: a line it breaks would shift the picture.
            width=min(self._console.width - 3, _LONGEST),
            spinner=turned if isinstance(turned, Text) else None,
        )


def table(
    states: Sequence[State],
    now: datetime,
    *,
    signs: Marks,
    width: int,
    spinner: Text | None = None,
) -> Table:
    """The picture of an execution at a moment.

    Args:
        states: What ran so far.
        now: The moment, for what still runs.
        signs: The marks to use.
        width: Columns to fill.
        spinner: The mark of what runs, as it looks at that moment.
    """
    with_line = width >= _ROOM_FOR_A_TIME_LINE
    grid = Table.grid(padding=(0, 1), expand=False)
    grid.width = width
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
    if with_line:
        grid.add_column(no_wrap=True, width=_TIME_LINE)
    grid.add_column(no_wrap=True, justify="right", min_width=7)
    shown = list(rows(states, signs))
    begin = min((row.state.started for row in shown), default=now)
    end = max((row.state.ended or now for row in shown), default=now)
    for row in shown:
        state = row.state
        cells = [_name(row, signs, spinner), Text(note(state), style=_note_style(state))]
        if with_line:
            cells.append(_time_line(state, begin, end, now, signs))
        cells.append(Text(duration(state.seconds(now)), style="dim" if state.ended else "cyan"))
        grid.add_row(*cells)
    return grid


def _name(row: Row, signs: Marks, spinner: Text | None) -> Text:
    status = row.state.status
    turning = status is Status.RUNNING and spinner is not None
    sign = spinner if spinner is not None and turning else Text(signs.of(status), STYLES[status])
    style = {Status.RUNNING: "bold", Status.FAILED: "bold red"}.get(status, "")
    return Text.assemble((row.guide, "dim"), sign, " ", (row.state.name, style))


def _note_style(state: State) -> str:
    return STYLES[state.status] if state.status in {Status.FAILED, Status.RETRYING} else "dim"


def _time_line(state: State, begin: datetime, end: datetime, now: datetime, signs: Marks) -> Text:
    """When a state ran, as a stretch of the whole run."""
    whole = max((end - begin).total_seconds(), 0.001)
    first = (state.started - begin).total_seconds() / whole * _TIME_LINE
    last = ((state.ended or now) - begin).total_seconds() / whole * _TIME_LINE
    left = min(int(first), _TIME_LINE - 1)
    length = max(1, min(round(last), _TIME_LINE) - left)
    return Text.assemble(" " * left, (signs.bar * length, STYLES[state.status]))


class _Lines:
    """One line when a state ends, and now and then one for a state that goes on."""

    def __init__(self, target: Console) -> None:
        self._console = target
        self._marks = marks(target)
        self._printed: set[tuple[str, Status]] = set()
        self._reminded: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def show(self, states: Sequence[State]) -> None:
        now = datetime.now(UTC)
        # In the order in which they ended, which is not the order of the picture.
        for row in sorted(rows(states, self._marks), key=lambda row: row.state.ended or now):
            state, seconds = row.state, row.state.seconds(now)
            if state.status in {Status.RUNNING, Status.RETRYING}:
                due = self._reminded.get(state.name, 0.0) + _REMINDER_SECONDS
                if seconds >= due and not state.branches:
                    self._reminded[state.name] = seconds
                    self._print(row, seconds)
            # A loop passes through the same state again and again: the first time is news.
            elif (state.name, state.status) not in self._printed:
                self._printed.add((state.name, state.status))
                self._print(row, seconds)

    def _print(self, row: Row, seconds: float) -> None:
        sign = self._marks.of(row.state.status)
        said = note(row.state)
        words = f"{'  ' * row.depth}{row.state.name}{f'  ({said})' if said else ''}"
        self._console.print(Text(f"{sign} {duration(seconds):>8}  {words}"), soft_wrap=True)
