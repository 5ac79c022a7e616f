"""`spine predict`: rows to a kept endpoint, probabilities and classes back."""

import csv
import io
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spine import inventory
from spine.errors import CommandError, UsageError
from spine.inventory import Endpoint, Model
from spine.shipped import load

if TYPE_CHECKING:
    from localcloud import Cloud

# InvokeEndpoint takes 6,291,456 bytes (API reference); well below it, a request stays quick.
_REQUEST_BYTES = 4_000_000
_KEEP = """spine run --input '{"endpoint": {"keep": true}}'"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of numbers, as the text that was given, and what to call where they came from."""

    origin: str
    values: tuple[tuple[str, ...], ...]


def read(*, rows: Sequence[str], file: Path | None) -> Rows:
    """Collect the rows from --row, --file or standard input; blank lines do not count.

    Raises:
        UsageError: There are none, more than one place gives them, or a value is not a number.
    """
    if rows and file is not None:
        raise UsageError("Rows are given twice: as --row and as --file.", remedy="Leave one out.")
    if rows:
        return parse("\n".join(rows), origin="--row")
    if file is not None and str(file) != "-":
        if not file.is_file():
            raise UsageError(f"--file: there is no file {file}.")
        try:
            return parse(file.read_text(encoding="utf-8-sig"), origin=str(file))
        except UnicodeDecodeError:
            raise UsageError(
                f"--file: {file} is not text.",
                remedy="Give a CSV file of numbers, without a header.",
            ) from None
    if sys.stdin.isatty():
        raise UsageError(
            "There is no row to predict.",
            remedy='Give --row "1,2,3" (again for more), --file FILE, or CSV on standard input.',
        )
    return parse(sys.stdin.read(), origin="standard input")


def parse(text: str, *, origin: str) -> Rows:
    """Split CSV text into rows of numbers.

    Raises:
        UsageError: A value is not a finite number, or there is no row.
    """
    found = []
    for number, row in enumerate(csv.reader(io.StringIO(text), skipinitialspace=True), start=1):
        values = tuple(value.strip() for value in row)
        if not any(values):
            continue
        for column, value in enumerate(values, start=1):
            if not _is_number(value):
                hint = "A header line has to go." if number == 1 and len(values) > 1 else ""
                raise UsageError(
                    f"{origin}, row {number}, column {column}: {value!r} is not a number.",
                    remedy=f"Give the features as numbers, separated by commas. {hint}".strip(),
                )
        found.append(values)
    if not found:
        raise UsageError(f"{origin} holds no row.", remedy='A row looks like this: --row "1,2,3"')
    return Rows(origin=origin, values=tuple(found))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def choose(endpoints: Sequence[Endpoint], name: str | None) -> Endpoint:
    """The endpoint to ask: the one named, by full name or an unmistakable part, or the only one.

    Raises:
        UsageError: There is no such endpoint, or more than one.
        CommandError: It is not in service.
    """
    named = [found for found in endpoints if name is None or name in {found.name, _run(found)}]
    matching = named or [found for found in endpoints if name and name in found.name]
    serving = [found for found in matching if found.status == "InService"]
    candidates = serving or matching
    if not endpoints:
        raise CommandError("No endpoint is in service.", remedy=f"Keep one after a run: {_KEEP}")
    if len(candidates) != 1:
        known = ", ".join(found.name for found in candidates or endpoints)
        wrong = f"There is no endpoint {name!r}." if name and not candidates else ""
        raise UsageError(
            wrong or f"More than one endpoint fits: {known}.",
            remedy=f"Name one: spine predict ENDPOINT. There are: {known}",
        )
    if not serving:
        chosen = candidates[0]
        raise CommandError(
            f"Endpoint {chosen.name} is {chosen.status}, not InService.",
            remedy=f"See why: spine logs {chosen.name}",
        )
    return serving[0]


def _run(endpoint: Endpoint) -> str | None:
    """The execution's name, by which a person may know its endpoint."""
    return endpoint.execution.rpartition(":")[2] if endpoint.execution else None


def check_width(rows: Rows, model: Model) -> None:
    """Refuse rows of another width than the model's: the container would score them all the same.

    Raises:
        UsageError: Naming the first such row.
    """
    expected = model.features if model.features is not None else len(rows.values[0])
    for number, row in enumerate(rows.values, start=1):
        if len(row) != expected:
            extra = " Leave the label out." if len(row) == expected + 1 else ""
            raise UsageError(
                f"{rows.origin}, row {number} has {len(row)} values; the model takes {expected}.",
                remedy=f"Give the features in the order of the training file.{extra}",
            )


def invoke(cloud: "Cloud", endpoint: Endpoint, rows: Rows, form: Any) -> list[list[float]]:
    """Send the rows and return the model's numbers for each: one, or one for each class.

    Args:
        cloud: Where the endpoint is.
        endpoint: It.
        rows: What to send.
        form: What the model answers for a row.

    Raises:
        CommandError: The model refused them or answered with another number of values.
    """
    client = cloud.client("sagemaker-runtime")
    answers: list[float] = []
    for body in _requests(rows):
        try:
            answer = client.invoke_endpoint(
                EndpointName=endpoint.name, ContentType="text/csv", Accept=form.accept, Body=body
            )
        except client.exceptions.ModelError as error:
            raise CommandError(
                f"The model refused the rows: {error.response.get('OriginalMessage') or error}",
                remedy=f"See its log: spine logs {endpoint.name}",
            ) from None
        for line in answer["Body"].read().decode().splitlines():
            answers += [float(value) for value in form.split(line) if value]
    count = len(rows.values)
    if not answers or len(answers) % count:
        raise CommandError(
            f"{count} rows were sent and {len(answers)} values came back.",
            remedy=f"See its log: spine logs {endpoint.name}",
        )
    width = len(answers) // count
    return [answers[start : start + width] for start in range(0, len(answers), width)]


def _requests(rows: Rows) -> Iterator[str]:
    lines: list[str] = []
    size = 0
    for row in rows.values:
        line = ",".join(row) + "\n"
        if lines and size + len(line) > _REQUEST_BYTES:
            yield "".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    yield "".join(lines)


def document(
    endpoint: Endpoint, model: Model, answers: Sequence[Sequence[float]]
) -> dict[str, Any]:
    """The answer as JSON-able data; of two classes one only where the run says the threshold."""
    return {
        "endpoint": endpoint.name,
        "threshold": model.threshold,
        "predictions": [
            {"row": number, **_told(model, values)}
            for number, values in enumerate(answers, start=1)
        ],
    }


def _told(model: Model, values: Sequence[float]) -> dict[str, Any]:
    """What a row's numbers say, by what the model answers with."""
    value = values[0]
    if len(values) > 1:
        number = max(range(len(values)), key=values.__getitem__)
        return {"probability": values[number], **_class(model, number), "probabilities": [*values]}
    if model.form.output == "class":
        return _class(model, int(value))
    if model.form.output == "value":
        return {"prediction": value}
    if model.form.output == "score":
        value = load("algorithms.answers").logistic(value)
    if model.threshold is None:
        return {"probability": value}
    return {"probability": value, **_class(model, int(value > model.threshold))}


def _class(model: Model, number: int) -> dict[str, Any]:
    known = number < len(model.classes)
    return {"class": number, "name": model.classes[number] if known else str(number)}


def show(target: Console, found: dict[str, Any]) -> None:
    """Print it for a person."""
    threshold = found["threshold"]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    table.add_column("row", justify="right")
    first = found["predictions"][0] if found["predictions"] else {}
    for key in ("prediction", "probability"):
        if key in first:
            table.add_column(key, justify="right")
    if "name" in first:
        table.add_column("class" if threshold is None else f"class (threshold {threshold:g})")
    for answer in found["predictions"]:
        cells = [str(answer["row"])]
        if "prediction" in answer:
            cells.append(f"{answer['prediction']:.6g}")
        if "probability" in answer:
            cells.append(f"{answer['probability']:.4f}")
        if "name" in answer:
            cells.append(str(answer["name"]))
        table.add_row(*cells)
    title = Text.assemble("Endpoint ", (found["endpoint"], "bold"))
    target.print(title, soft_wrap=True)
    target.print(table)


def run(cloud: "Cloud", *, name: str | None, rows: Rows) -> dict[str, Any]:
    """Choose the endpoint, check the rows, ask, and return the answer as data."""
    endpoint = choose(inventory.endpoints(cloud), name)
    model = inventory.model_behind(cloud, endpoint)
    check_width(rows, model)
    return document(endpoint, model, invoke(cloud, endpoint, rows, model.form))
