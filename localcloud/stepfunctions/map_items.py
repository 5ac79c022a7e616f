"""The items of a Distributed Map: read from S3, selected and put into batches.

Rules: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html and
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import (
    StateCredentials,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from localcloud.stepfunctions import map_failures
from localcloud.stepfunctions.clients import client_for

_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
_LARGEST_INPUT = 262_144


def read(env: Environment, state: Any) -> list[Any]:
    """Read the items of a Map with an ItemReader.

    Raises:
        FailureEventException: `States.ItemReaderFailed`, with what is wrong.
    """
    reader = state.item_reader
    config: dict[str, Any] = {"MaxItemsValue": None}
    if reader.reader_config:
        reader.reader_config.eval(env=env)
        config = env.stack.pop()
    written = state.options["ItemReader"].get("ReaderConfig", {})
    parameters: dict[str, Any] = {}
    if reader.parargs:
        reader.parargs.eval(env=env)
        parameters = env.stack.pop()
    try:
        items = _items(_client(env), reader.resource.api_action, parameters, written, config)
    except (ClientError, BotoCoreError, ValueError, KeyError) as error:
        raise map_failures.failure(
            env, StatesErrorNameType.StatesItemReaderFailed, _cause(error)
        ) from error
    return items[: config["MaxItemsValue"]]


def _cause(error: Exception) -> str:
    return str(error.args[0]) if isinstance(error, (ValueError, KeyError)) else str(error)


def _client(env: Environment) -> Any:
    details = env.aws_execution_details
    return client_for(details.region, "s3", StateCredentials(role_arn=details.role_arn))


def _items(
    client: Any,
    action: str,
    parameters: dict[str, Any],
    written: dict[str, Any],
    config: dict[str, Any],
) -> list[Any]:
    if action == "listObjectsV2":
        pages = client.get_paginator("list_objects_v2").paginate(**parameters)
        return [_listed(each) for page in pages for each in page.get("Contents", [])]
    kind = written.get("InputType", "JSON")
    if kind == "PARQUET":
        raise ValueError("The local cloud does not read Parquet items")
    content = client.get_object(**parameters)["Body"].read()
    if str(parameters.get("Key", "")).endswith(".gz"):
        content = gzip.decompress(content)
    text = content.decode("utf-8-sig")
    if kind == "CSV":
        return _rows(text, written, config)
    if kind == "JSONL":
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if kind == "MANIFEST":
        return _inventory(client, json.loads(text))
    return _elements(json.loads(text), written.get("ItemsPointer", ""))


def _listed(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "Etag": found["ETag"],
        "LastModified": round(found["LastModified"].timestamp()),
        "Key": found["Key"],
        "Size": found["Size"],
        "StorageClass": found.get("StorageClass", "STANDARD"),
    }


def _elements(document: Any, pointer: str) -> list[Any]:
    """The array of a JSON file, or the one that a JSON pointer leads to."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    if not isinstance(document, list):
        raise ValueError("Attempting to map over non-iterable node.")  # noqa: TRY004 - of a file
    return document


def _rows(text: str, written: dict[str, Any], config: dict[str, Any]) -> list[Any]:
    delimiter = _DELIMITERS[written.get("CSVDelimiter", "COMMA")]
    rows = (row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row)
    headers = config.get("CSVHeaders") or next(rows, [])
    if len(set(headers)) < len(headers):
        raise ValueError("CSV headers cannot contain duplicates.")
    return [
        {name: row[at] if at < len(row) else "" for at, name in enumerate(headers)} for row in rows
    ]


def _inventory(client: Any, manifest: dict[str, Any]) -> list[Any]:
    """The objects that an S3 inventory in CSV lists."""
    if manifest.get("fileFormat") != "CSV":
        raise ValueError("The local cloud reads inventories in CSV only")
    headers = [each.strip() for each in manifest["fileSchema"].split(",")]
    bucket = manifest["destinationBucket"].removeprefix("arn:aws:s3:::")
    items = []
    for file in manifest["files"]:
        content = client.get_object(Bucket=bucket, Key=file["key"])["Body"].read()
        text = gzip.decompress(content).decode()
        items += [dict(zip(headers, row, strict=False)) for row in csv.reader(io.StringIO(text))]
    return items


def inputs(env: Environment, state: Any, items: list[Any]) -> list[tuple[Any, int]]:
    """The children's inputs, each with the number of its items."""
    selected = [_selected(env, state, at, item) for at, item in enumerate(items)]
    batcher = state.options.get("ItemBatcher")
    if not batcher:
        return [(item, 1) for item in selected]
    settings = _evaluated(env, state, batcher)
    shared = {"BatchInput": settings["BatchInput"]} if "BatchInput" in settings else {}
    most = int(settings.get("MaxItemsPerBatch") or len(selected) or 1)
    largest = min(int(settings.get("MaxInputBytesPerBatch") or _LARGEST_INPUT), _LARGEST_INPUT)
    room = largest - _size({**shared, "Items": []})
    return [({**shared, "Items": batch}, len(batch)) for batch in _batches(selected, most, room)]


def _selected(env: Environment, state: Any, index: int, item: Any) -> Any:
    """What the ItemSelector makes of an item."""
    selector = state.item_selector or state.parameters
    if not selector:
        return item
    frame = env.open_inner_frame()
    try:
        context: Any = frame.states.context_object.context_object_data
        context["Map"] = {"Item": {"Index": index, "Value": item}}
        frame.states.reset(input_value=env.states.get_input())
        frame.stack.append(frame.states.get_input())
        selector.eval(frame)
        return frame.stack.pop()
    finally:
        env.delete_frame(frame)


def _evaluated(env: Environment, state: Any, batcher: dict[str, Any]) -> dict[str, Any]:
    """An ItemBatcher's fields, their paths and expressions evaluated, as a Pass state's are."""
    fields = {
        (f"{name.removesuffix('Path')}.$" if name.endswith("Path") else name): value
        for name, value in batcher.items()
    }
    jsonata = not state._is_language_query_jsonpath()
    template = {
        "QueryLanguage": "JSONata" if jsonata else "JSONPath",
        "StartAt": "Batch",
        "States": {
            "Batch": {"Type": "Pass", "Output" if jsonata else "Parameters": fields, "End": True}
        },
    }
    program: Any = AmazonStateLanguageParser.parse(json.dumps(template))[0]
    passing = program.states.states["Batch"]
    frame = env.open_frame()
    try:
        frame.states.reset(input_value=env.states.get_input())
        frame.stack.append(frame.states.get_input())
        (passing.output.jsonata_template_value if jsonata else passing.parameters).eval(frame)
        found: dict[str, Any] = frame.stack.pop()
    finally:
        env.delete_frame(frame)
    return found


def _batches(items: list[Any], most: int, room: int) -> Iterator[list[Any]]:
    batch: list[Any] = []
    taken = 0
    for item in items:
        size = _size(item) + 1
        if batch and (len(batch) == most or taken + size > room):
            yield batch
            batch, taken = [], 0
        batch.append(item)
        taken += size
    if batch:
        yield batch


def _size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
