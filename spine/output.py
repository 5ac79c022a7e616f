"""What a command prints for programs, and the files a run leaves on this machine."""

import json
import sys
from pathlib import Path
from typing import Any

from spine.errors import UsageError
from spine.shipped import load

_REPORT = "report.html"


def print_json(document: object) -> None:
    """Write one JSON document to standard output, and nothing else."""
    # As the logs have it: what a cloud answers may end on a terminal here, too.
    sys.stdout.write(load("common.log").visible_json(document, indent=2) + "\n")


def read_input(text: str | None) -> dict[str, Any]:
    """Read the execution input given as --input: JSON, a file's name, or `-` for standard input.

    Lines that begin with `//` are comments, as `spine inspect --write` makes them.

    Raises:
        UsageError: There is no such file, or the text is not a JSON object.
    """
    if text is None:
        return {}
    place, content = _content(text)
    try:
        value = json.loads(without_comments(content))
    except ValueError as error:
        raise UsageError(
            f"{place} is not JSON: {error}.",
            remedy="""Give an object, as in --input '{"evaluation": {"threshold": 0.5}}'.""",
        ) from None
    if not isinstance(value, dict):
        raise UsageError(
            f"{place} is a JSON {_kind(value)}, not an object.",
            remedy="""Give an object, as in --input '{"endpoint": {"enabled": false}}'.""",
        )
    return value


def without_comments(text: str) -> str:
    """Return JSON without its lines that are comments: blank ones, so that errors name the line.

    A text in JSON has no line end, so that no such line is inside of one.
    """
    return "\n".join("" if line.lstrip().startswith("//") else line for line in text.split("\n"))


def _content(text: str) -> tuple[str, str]:
    if text == "-":
        return "--input from standard input", sys.stdin.read()
    if text.lstrip()[:1] in {"{", "["}:
        return "--input", text
    path = Path(text).expanduser()
    try:
        return f"--input {text}", path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(
            f"--input: {text} is neither JSON nor a file.",
            remedy="Give a JSON object in quotes, a file that holds one, or - to read it.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--input: {text} cannot be read: {error}.") from None


def _kind(value: object) -> str:
    names = {list: "list", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")


def split_s3(uri: str) -> tuple[str, str]:
    """The bucket and key of an `s3://` address."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def fetch_report(s3: Any, output: dict[str, Any], *, home: Path) -> Path | None:
    """Copy a run's report next to the local cloud's other files, where it outlives the cloud.

    Returns:
        `HOME/runs/<run id>/report.html`, or None when the run wrote no report.
    """
    uri = (output.get("artifacts") or {}).get("report")
    if not uri:
        return None
    folder = home / "runs" / str(output["run"]["id"])
    folder.mkdir(parents=True, exist_ok=True)
    bucket, key = split_s3(uri)
    s3.download_file(bucket, key, str(folder / _REPORT))
    (folder / "output.json").write_text(json.dumps(output, indent=2, ensure_ascii=False))
    return folder / _REPORT
