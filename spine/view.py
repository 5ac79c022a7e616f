"""What every command's terminal output shares: consoles, marks, durations, and steps of set-up."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from spine.errors import CommandError
from spine.history import Status

_PIPED_WIDTH = 100


def console(*, stderr: bool = False) -> Console:
    """A console for people. Into a file or pipe it is wide enough that paths stay in one piece."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made = Console(stderr=stderr, highlight=False, width=max(made.width, _PIPED_WIDTH))
    return made


@dataclass(frozen=True, slots=True)
class Marks:
    """The signs in front of states and around branches, for what the terminal can show."""

    succeeded: str
    failed: str
    stopped: str
    retrying: str
    running: str
    bar: str
    only: str
    first: str
    between: str
    last: str
    spinner: str

    def of(self, status: Status) -> str:
        """The sign of a status."""
        sign: str = getattr(self, status.value)
        return sign


_UNICODE = Marks("✓", "✗", "■", "↻", "▶", "━", "─", "╭", "│", "╰", "dots")
_ASCII = Marks("+", "x", "#", "~", ">", "=", "-", "/", "|", "\\", "line")

STYLES = {
    Status.SUCCEEDED: "green",
    Status.FAILED: "bold red",
    Status.STOPPED: "yellow",
    Status.RETRYING: "yellow",
    Status.RUNNING: "cyan",
}


def marks(target: Console) -> Marks:
    """The signs a console can encode."""
    return _UNICODE if target.encoding.lower().replace("-", "").startswith("utf") else _ASCII


def duration(seconds: float) -> str:
    """A time span as people say it: 0.4 s, 12.0 s, 3m 05s, 2h 10m."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    return f"{minutes // 60}h {minutes % 60:02d}m"


def moment(when: datetime) -> str:
    """A point in time in the person's own zone; today's without the date."""
    local = when.astimezone()
    today = local.date() == datetime.now(UTC).astimezone().date()
    return local.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M")


def ago(when: datetime, now: datetime) -> str:
    """How long since, or until, in one unit."""
    seconds = abs((now - when).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def titled_table(title: str) -> Table:
    """A table under its title, ruled below the header only."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        header_style="dim",
    )


class Step(Protocol):
    """A step of set-up under way."""

    def update(self, detail: str) -> None:
        """Say what it is doing right now."""


class Steps:
    """Shows work that comes before a run: one line each, with its duration."""

    def __init__(self, target: Console) -> None:
        self._console = target
        self._marks = marks(target)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while the body runs; a failure is marked and goes on."""
        began = time.monotonic()
        with self._console.status(escape(title), spinner=self._marks.spinner) as status:

            class Shown:
                def update(self, detail: str) -> None:
                    status.update(f"{escape(title)} [dim]{escape(detail)}[/]")

            try:
                yield Shown()
            except BaseException:
                self._line(Status.FAILED, title, time.monotonic() - began)
                raise
        self._line(Status.SUCCEEDED, title, time.monotonic() - began)

    def note(self, text: str) -> None:
        """Say something that took no time."""
        self._console.print(Text.assemble((f"{self._marks.succeeded} ", "green"), text))

    def _line(self, status: Status, title: str, seconds: float) -> None:
        text = Text.assemble(
            (f"{self._marks.of(status)} ", STYLES[status]), title, (f"  {duration(seconds)}", "dim")
        )
        self._console.print(text)


def problem(target: Console, error: CommandError) -> None:
    """Show an error: what, the details, and what to do."""
    sign = marks(target).failed
    target.print(Text.assemble((f"{sign} ", "bold red"), (error.message, "bold")), soft_wrap=True)
    if error.details:
        for line in error.details.splitlines():
            target.print(Text(f"    {line}", style="dim"), soft_wrap=True)
    if error.remedy:
        target.print(Text.assemble("  ", (error.remedy, "")), soft_wrap=True)
