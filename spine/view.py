"""What every command's terminal output shares: consoles, marks, durations, and steps of set-up."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from spine.errors import CommandError
from spine.history import Status

_PIPED_WIDTH = 100
# What separates words in any script, but for those that Unicode calls line ends.
_WIDE = frozenset(
    "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_BLANKS = _WIDE | {"\n"}


class PlainConsole(Console):
    r"""A console that shows every text as it is, and lets none of them act on the terminal.

    Names, labels, messages and logs come from files and clouds of other people. Markup and emoji
    codes in them are no markup, and what is no visible character (escape sequences, other controls,
    marks that turn round the text after them) is written as Python writes it, `\x1b`. Everything
    that the commands show goes through here.
    """

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Render with nothing invisible, but for what rich itself does to the terminal."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def visible(text: str) -> str:
    """Return a text with every character that is not visible as Python writes it; lines stay."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in _BLANKS else ascii(character)[1:-1]
        for character in text
    )


def one_line(document: Any) -> Any:
    """Return a JSON document whose texts, and the names in it, have one line each."""
    if isinstance(document, Mapping):
        return {one_line(name): one_line(value) for name, value in document.items()}
    if isinstance(document, list):
        return [one_line(value) for value in document]
    return "".join(map(_unbroken, document)) if isinstance(document, str) else document


def _unbroken(character: str) -> str:
    return character if character.isprintable() or character in _WIDE else ascii(character)[1:-1]


def console(*, stderr: bool = False) -> Console:
    """A console for people. Into a file or pipe it is wide enough that paths stay in one piece."""
    made = PlainConsole(stderr=stderr)
    if not made.is_terminal:
        made = PlainConsole(stderr=stderr, width=max(made.width, _PIPED_WIDTH))
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
        with self._console.status(Text(title), spinner=self._marks.spinner) as status:

            class Shown:
                def update(self, detail: str) -> None:
                    status.update(Text.assemble(title, " ", (detail, "dim")))

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
