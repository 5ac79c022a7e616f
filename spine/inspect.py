"""Looking at a training file before anything runs: what is in it, and the input that reads it."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spine import view
from spine.errors import UsageError
from spine.shipped import load_data_prep

if TYPE_CHECKING:
    import io

    from data_prep.inspection import Inspection

_MOST_SHOWN = 40
_LONGEST_EXAMPLE = 24


def look(path: Path, *, label: str | None = None, member: str | None = None) -> "Inspection":
    """Look at a file.

    Raises:
        UsageError: It is no file, or nothing that could be read.
    """
    load_data_prep()
    from data_prep import DataError
    from data_prep.inspection import inspect

    try:
        with path.open("rb") as file:
            # What `open` returns has all that a buffered reader has.
            return inspect(
                cast("io.BufferedIOBase", file), name=path.name, label=label, member=member
            )
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except DataError as error:
        raise UsageError(f"{path.name}: {error}") from error


def written(found: "Inspection", path: Path, to: Path) -> str:
    """Return the execution input as a text for a file, with what was found as comments."""
    facts = found.facts
    lines = [f"What `spine inspect` found in {path.name}; run it with", f"  {command(path, to)}"]
    lines.append(f"{facts['format']}, {_rows(found)}, {len(found.columns)} columns.")
    if found.is_sampled:
        lines.append("Only some of the rows were looked at.")
    lines += [f"- {each.message}" for each in found.problems]
    lines += [f"- {each['message']} {each['remedy']}" for each in found.warnings]
    if not found.is_readable:
        lines.append("The file is refused with this input, too: see the last problem.")
    comments = "".join(f"// {view.one_line(line)}\n" for line in lines)
    return f"{comments}{json.dumps(found.input, indent=2, ensure_ascii=False)}\n"


def command(path: Path, written_to: Path) -> str:
    """Return the command that runs the file with the input."""
    names = (shlex.quote(str(name)) for name in (path, written_to))
    return "spine run --source {} --input {}".format(*names)


def write(text: str, to: Path) -> None:
    """Write the input to a file that is not there yet.

    Raises:
        UsageError: It is, or cannot be written.
    """
    try:
        with to.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"--write: {to} is there already.", remedy="Give another name, or remove it."
        ) from None
    except OSError as error:
        raise UsageError(f"--write: {to} cannot be written: {error.strerror}.") from None


def show(target: Console, found: "Inspection", path: Path, written_to: Path | None = None) -> None:
    """Print what was found."""
    facts = found.facts
    target.print(Text(path.name, style="bold"))
    said = [facts["format"], _rows(found)]
    said += [
        f"{name} {facts[name]!r}" for name in ("encoding", "delimiter") if facts[name] is not None
    ]
    said.append(f"decimal sign {facts['decimal']!r}")
    if not facts["header"] and facts["format"] == "csv":
        said.append("no header")
    target.print(Text(", ".join(said)))
    if found.is_sampled:
        target.print(
            Text(
                f"Only {facts['rows_looked_at']:,} rows were looked at; lines are those of this "
                "sample.",
                style="yellow",
            )
        )
    target.print(_columns(found.columns))
    if found.label is not None:
        words = Text.assemble("Label ", (found.label, "bold"), f", {found.objective}")
        if found.positive is not None:
            words.append(f", 1 is {found.positive}")
        target.print(words)
    _list(target, "Problems", (_problem(each) for each in found.problems))
    _list(target, "Warnings", (f"{each['message']} {each['remedy']}" for each in found.warnings))
    target.print(Text("\nThe execution input", style="bold"))
    target.print(Text(json.dumps(found.input, indent=2, ensure_ascii=False)), soft_wrap=True)
    if not found.is_readable:
        target.print(Text("The file is refused with it, too: see the last problem.", style="red"))
    elif written_to is not None:
        target.print(Text(f"\n{command(path, written_to)}", style="cyan"), soft_wrap=True)
    else:
        target.print(Text("\nKeep it: spine inspect FILE --write input.json", style="dim"))


def _rows(found: "Inspection") -> str:
    rows = found.facts["rows"]
    return "an unknown number of rows" if rows is None else f"{rows:,} rows"


def _problem(found: Any) -> str:
    fix: Mapping[str, Any] = found.fix
    return f"{found.message} {json.dumps(fix, ensure_ascii=False)}" if fix else found.message


def _list(target: Console, title: str, lines: Iterable[str]) -> None:
    told = list(lines)
    if not told:
        return
    target.print(Text(f"\n{title}", style="bold"))
    for line in told:
        target.print(Text(f"- {view.one_line(line)}"), soft_wrap=True)


def _columns(columns: Sequence[Any]) -> Table:
    table = view.titled_table("")
    for name in ("column", "kind", "missing", "values", "range", "looks like"):
        table.add_column(name, overflow="fold")
    for each in columns[:_MOST_SHOWN]:
        span = (
            ", ".join(text[:_LONGEST_EXAMPLE] for text in each.examples)
            if each.low is None
            else f"{each.low:g} to {each.high:g}"
        )
        cells = (
            each.name,
            each.kind,
            f"{each.missing:,}",
            f"{each.distinct:,}",
            span,
            ", ".join(each.notes),
        )
        table.add_row(*(Text(view.one_line(cell)) for cell in cells))
    if (more := len(columns) - _MOST_SHOWN) > 0:
        table.add_row(Text(f"and {more:,} more columns", style="dim"))
    return table
