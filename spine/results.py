"""What a finished run shows: data, metrics, gate, predictions, artifacts, report and endpoint."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from spine.failure import Failure
from spine.inventory import class_names
from spine.places import shown
from spine.shipped import load
from spine.view import PlainConsole, ago, marks, moment, one_line, titled_table

_LONGEST = 120
# Columns between metrics, confusion matrix and predictions.
_GAP = 3
# What the panel's frame and padding take.
_FRAME = 6
# Of every task; a run has those of its own.
_METRICS: Mapping[str, Any] = load("common.tasks").METRICS
# A larger matrix is for the report.
_MOST_CLASSES = 6
_LONGEST_NAME = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A finished run and what the command line knows about it beyond its output.

    Attributes:
        output: The execution output.
        name: The execution's name.
        seconds: How long the execution took, as text.
        report: The report's copy on this machine.
        example: A row of the test split, as an example for `spine predict`.
    """

    output: Mapping[str, Any]
    name: str
    seconds: str
    report: Path | None = None
    example: str | None = None


def show(target: Console, result: Result) -> None:
    """Print the results."""
    output = one_line(result.output)
    width = min(target.width, _LONGEST)
    parts: list[RenderableType] = []
    if output.get("data"):
        parts.append(_data(output["data"]))
    if output.get("metrics"):
        parts += [Text(), _measures(output, width - _FRAME)]
    elif output.get("predictions"):
        parts += [Text(), _predictions(output)]
    facts = _facts(result, target)
    if facts.row_count:
        # Tables end in an empty line of their own.
        parts += [*([] if len(parts) > 1 else [Text()]), facts]
    title = Text.assemble(" Run ", (result.name, "bold"), f"  succeeded in {result.seconds} ")
    target.print()
    target.print(
        Panel(
            Group(*parts),
            title=title,
            title_align="left",
            border_style=_colour(output),
            width=width,
            padding=(1, 2),
            box=box.ROUNDED,
        )
    )
    _places(target, result)


def show_failure(target: Console, *, name: str, how: str, failure: Failure) -> None:
    """Print why a run did not succeed and what to do about it."""
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column(overflow="fold")
    if failure.state:
        lines.add_row("State", Text(failure.state, style="bold"))
    lines.add_row("Error", Text(failure.error, style="bold red"))
    lines.add_row("Cause", Text(failure.message))
    lines.add_row("Remedy", Text(failure.remedy))
    lines.add_row("Logs", Text(failure.logs, style="cyan"))
    title = Text.assemble(" Run ", (name, "bold"), f"  {how} ")
    target.print()
    target.print(
        Panel(
            lines,
            title=title,
            title_align="left",
            border_style="red",
            width=min(target.width, _LONGEST),
            padding=(1, 2),
            box=box.ROUNDED,
        )
    )


def _colour(output: Mapping[str, Any]) -> str:
    return "yellow" if output.get("quality_gate", {}).get("passed") is False else "green"


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True, min_width=10)
    grid.add_column(overflow="fold")
    return grid


def _data(data: Mapping[str, Any]) -> Table:
    source, counts = data["source"], data["counts"]
    grid = _grid()
    name = source.get("member") or source["uri"].rpartition("/")[2]
    words = Text.assemble((name, "bold"), _origin(source["uri"], name))
    if source.get("fallback"):
        words.append("  the copy that ships with Spine: UCI cannot be read", style="yellow")
    grid.add_row("Data", words)
    grid.add_row(
        "Rows",
        f"{data['rows']:,} with {data['feature_count']} features: {counts['train']:,} to train, "
        f"{counts['validate']:,} to validate, {counts['test']:,} to test",
    )
    for number, warning in enumerate(data.get("warnings") or ()):
        grid.add_row(
            "" if number else "Warnings",
            Text.assemble((warning["message"], "yellow"), " ", warning.get("remedy", "")),
        )
    return grid


def _origin(uri: str, name: str) -> str:
    """Where a file came from, when its name does not say it: the archive, or the address."""
    file = uri.rpartition("/")[2]
    if "/uploads/" in uri:
        return "" if file == name else f" in {file}"
    return f" in {uri}" if file != name else f" at {uri}"


def _measures(output: Mapping[str, Any], width: int) -> RenderableType:
    blocks = [_metrics(output), *_confusion(output)]
    if output.get("predictions"):
        blocks.append(_predictions(output))
    lines: list[list[Table]] = [[]]
    room = PlainConsole(width=width)
    for block in blocks:
        beside = [*lines[-1], block]
        needed = sum(Measurement.get(room, room.options, one).maximum + _GAP for one in beside)
        if lines[-1] and needed > width:
            lines.append([block])
        else:
            lines[-1] = beside
    return Group(*[_side_by_side(line) for line in lines])


def _side_by_side(blocks: Sequence[Table]) -> Table:
    row = Table.grid(padding=(0, _GAP))
    row.add_row(*blocks)
    return row


def _metrics(output: Mapping[str, Any]) -> Table:
    metrics = output["metrics"]
    # A metric may have both bounds.
    checks: dict[str, list[Mapping[str, Any]]] = {}
    for check in output.get("quality_gate", {}).get("checks", ()):
        checks.setdefault(check["metric"], []).append(check)
    table = titled_table(f"Test split, {metrics['rows']:,} rows")
    table.add_column("metric", no_wrap=True)
    table.add_column("value", justify="right")
    table.add_column("asked for", justify="right")
    for key, metric in _METRICS.items():
        if key not in metrics:
            continue
        asked = checks.get(key, [])
        passed = all(check["passed"] for check in asked)
        style = "" if not asked else "green" if passed else "bold red"
        table.add_row(
            metric.short,
            Text(_value(key, metrics[key]), style=style),
            ", ".join(f"{'≥' if 'minimum' in check else '≤'} {_limit(check):g}" for check in asked),
        )
    return table


def _value(metric: str, value: float | None) -> str:
    if value is None:
        return "undefined"
    return f"{value:,.5g}" if _METRICS[metric].in_units else f"{value:.4f}"


def _limit(check: Mapping[str, Any]) -> float:
    return float(check["minimum"] if "minimum" in check else check["maximum"])


def _confusion(output: Mapping[str, Any]) -> list[Table]:
    """The confusion matrix, for classes that are not too many."""
    matrix = output["metrics"].get("confusion_matrix")
    if isinstance(matrix, Mapping):
        title = f"Confusion at threshold {output['metrics']['threshold']:g}"
        matrix = [[matrix["tn"], matrix["fp"]], [matrix["fn"], matrix["tp"]]]
    elif matrix and len(matrix) <= _MOST_CLASSES:
        title = "Confusion"
    else:
        return []
    names = [_cut(name) for name in class_names(output["data"].get("classes"))]
    table = titled_table(title)
    table.add_column("actual", no_wrap=True)
    for name in names:
        table.add_column(f"as {name}", justify="right")
    for actual, (name, line) in enumerate(zip(names, matrix, strict=True)):
        cells = [
            Text(str(count), "green" if at == actual else "red") for at, count in enumerate(line)
        ]
        table.add_row(name, *cells)
    return [table]


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _predictions(output: Mapping[str, Any]) -> Table:
    found = output["predictions"]
    table = titled_table("Predicted by the endpoint")
    table.add_column("row", justify="right")
    if "prediction" in found[0]:
        table.add_column("actual", justify="right", no_wrap=True)
        table.add_column("predicted", justify="right", no_wrap=True)
        for each in found:
            cells = (f"{each['label']:.6g}", f"{each['prediction']:.6g}")
            table.add_row(str(each["row"]), *cells)
        return table
    names = dict(enumerate(map(_cut, class_names(output["data"].get("classes")))))
    table.add_column("actual", no_wrap=True)
    table.add_column("predicted", no_wrap=True)
    if "probability" in found[0] or "probabilities" in found[0]:
        table.add_column("probability", justify="right", no_wrap=True)
    for each in found:
        right = each["label"] == each["class"]
        shares = []
        if "probability" in each:
            shares.append(f"{each['probability']:.4f}")
        elif "probabilities" in each:
            shares.append(f"{each['probabilities'][each['class']]:.4f}")
        table.add_row(
            str(each["row"]),
            names.get(each["label"], str(each["label"])),
            Text(names.get(each["class"], str(each["class"])), "green" if right else "red"),
            *shares,
        )
    return table


def _facts(result: Result, target: Console) -> Table:
    """The gate, the model and the endpoint, of those that the run's pipeline has."""
    grid = _grid()
    if "quality_gate" in result.output:
        grid.add_row("Gate", _gate(result.output["quality_gate"], target))
    if result.output["run"].get("model_name"):
        grid.add_row("Model", str(result.output["run"]["model_name"]))
    if "endpoint" in result.output:
        grid.add_row("Endpoint", _endpoint(result.output["endpoint"]))
    return grid


def _gate(gate: Mapping[str, Any], target: Console) -> Text:
    sign = marks(target)
    if gate["passed"] is None:
        return Text("not measured: the batch transform was off")
    if not gate["checks"]:
        return Text("passed: no minimum was asked for")
    if gate["passed"]:
        return Text(f"{sign.succeeded} passed", style="green")
    return Text(f"{sign.failed} not passed: {_short(gate)}", style="bold red")


def is_left(output: Mapping[str, Any]) -> bool:
    """Whether a run left an endpoint; a pipeline that makes none says nothing of it."""
    return bool(output.get("endpoint", {}).get("left"))


def _short(gate: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{check['metric']} {_value(check['metric'], check['value'])} is "
        f"{'below' if 'minimum' in check else 'above'} {_limit(check):g}"
        for check in gate["checks"]
        if not check["passed"]
    )


def _endpoint(endpoint: Mapping[str, Any]) -> Text:
    if not endpoint["left"]:
        return Text("none left: nothing goes on costing money")
    until = datetime.fromisoformat(endpoint["until"])
    left = ago(until, datetime.now(UTC))
    return Text.assemble(("left", "bold"), f" until {moment(until)} (for {left}), then deleted")


def _places(target: Console, result: Result) -> None:
    """Print addresses and commands under the panel, unbroken: to be clicked and copied."""
    artifacts = result.output.get("artifacts") or {}
    if artifacts:
        folder = posixpath.commonpath(list(artifacts.values())).replace("s3:/", "s3://", 1)
        longest = max(len(name) for name in artifacts)
        target.print(Text.assemble("\nArtifacts  ", (f"{folder}/", "bold")), soft_wrap=True)
        for name, uri in artifacts.items():
            label = f"  {name.replace('_', ' '):<{longest}}  "
            place = uri.removeprefix(f"{folder}/")
            target.print(Text.assemble((label, "dim"), place), soft_wrap=True)
    if result.report:
        target.print(Text.assemble("\nReport  ", (shown(result.report), "bold")), soft_wrap=True)
        target.print(Text(f"  {result.report.as_uri()}", style="cyan"), soft_wrap=True)
    if is_left(result.output):
        command = f'spine predict {result.name} --row "{result.example or "VALUE,VALUE,..."}"'
        target.print("\nCall the endpoint")
        target.print(Text(f"  {command}", style="cyan"), soft_wrap=True)
