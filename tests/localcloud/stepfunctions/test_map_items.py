"""The items of a Distributed Map: read from S3, selected and put into batches."""

import csv
import gzip
import io
import json
from typing import Any

import pytest

from tests.localcloud.stepfunctions.machines import PASS, Bench
from tests.localcloud.stepfunctions.test_map_runs import distributed

_ECHO = {"StartAt": "P", "States": {"P": PASS}}
_GET = "arn:aws:states:::s3:getObject"
_LIST = "arn:aws:states:::s3:listObjectsV2"


@pytest.fixture(scope="module")
def bucket(bench: Bench) -> str:
    """A bucket with files of items."""
    client = bench.cloud.client("s3")
    client.create_bucket(Bucket="map-items")
    table = io.StringIO()
    csv.writer(table).writerows([["city", "size"], ["Vaduz", "5"], ["Bern", "134"], ["Rome"]])
    rows = table.getvalue()
    manifest = {
        "destinationBucket": "arn:aws:s3:::map-items",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key",
        "files": [{"key": "inventory.csv.gz"}],
    }
    files: dict[str, str | bytes] = {
        "cities.csv": rows,
        "cities.psv": rows.replace(",", "|"),
        "twice.csv": "a,a\n1,2\n",
        "list.json": json.dumps([1, 2, 3]),
        "object.json": json.dumps({"deep": {"list": ["x", "y"]}}),
        "lines.jsonl": '{"n": 1}\n{"n": 2}\n',
        "manifest.json": json.dumps(manifest),
        "inventory.csv.gz": gzip.compress(b'"map-items","a"\n"map-items","b"\n'),
        "many/": "",
    }
    for name, body in files.items():
        content = body if isinstance(body, bytes) else body.encode()
        client.put_object(Bucket="map-items", Key=name, Body=content)
    return "map-items"


def read(bucket: str, key: str, **config: Any) -> dict[str, Any]:
    """A machine that maps over the items of a file."""
    reader = {"Resource": _GET, "Parameters": {"Bucket": bucket, "Key": key}}
    return distributed(_ECHO, ItemReader=reader | ({"ReaderConfig": config} if config else {}))


_CITIES = [
    {"city": "Vaduz", "size": "5"},
    {"city": "Bern", "size": "134"},
    {"city": "Rome", "size": ""},
]


@pytest.mark.parametrize(
    ("key", "config", "items"),
    [
        ("cities.csv", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, _CITIES),
        (
            "cities.csv",
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItems": 1},
            _CITIES[:1],
        ),
        (
            "cities.psv",
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": "PIPE"},
            _CITIES,
        ),
        ("list.json", {"InputType": "JSON", "MaxItems": 2}, [1, 2]),
        ("object.json", {"InputType": "JSON", "ItemsPointer": "/deep/list"}, ["x", "y"]),
        ("lines.jsonl", {"InputType": "JSONL"}, [{"n": 1}, {"n": 2}]),
        (
            "manifest.json",
            {"InputType": "MANIFEST"},
            [{"Bucket": "map-items", "Key": "a"}, {"Bucket": "map-items", "Key": "b"}],
        ),
    ],
)
def test_files_of_each_type_give_items(
    bench: Bench, bucket: str, key: str, config: dict[str, Any], items: list[Any]
) -> None:
    """CSV with its headers and delimiter, JSON and a place in it, JSON Lines, an inventory."""
    outcome = bench.run(read(bucket, key, **config))
    assert (outcome.status, outcome.output) == ("SUCCEEDED", items)


@pytest.mark.parametrize(
    ("key", "config", "cause"),
    [
        ("object.json", {"InputType": "JSON"}, "Attempting to map over non-iterable node."),
        (
            "twice.csv",
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            "CSV headers cannot contain duplicates.",
        ),
        ("none.json", {"InputType": "JSON"}, "NoSuchKey"),
    ],
)
def test_a_file_that_gives_no_items_fails_the_map(
    bench: Bench, bucket: str, key: str, config: dict[str, Any], cause: str
) -> None:
    """As States.ItemReaderFailed, told by the Map Run too."""
    outcome = bench.run(read(bucket, key, **config))
    assert outcome.error == "States.ItemReaderFailed"
    assert outcome.cause is not None
    assert cause in outcome.cause
    assert "MapRunFailed" in outcome.types


def test_a_listing_is_read_to_its_end(bench: Bench, bucket: str) -> None:
    """S3 answers a page at a time; an item is an object, as the listing shows it."""
    client = bench.cloud.client("s3")
    for number in range(4):
        client.put_object(Bucket=bucket, Key=f"pages/{number}", Body=b"x")
    given = {"Bucket": bucket, "Prefix": "pages/", "MaxKeys": 1}
    reader = {"Resource": _LIST, "Parameters": given}
    outcome = bench.run(distributed(_ECHO, ItemReader=reader))
    assert [each["Key"] for each in outcome.output] == [f"pages/{number}" for number in range(4)]
    assert set(outcome.output[0]) == {"Etag", "LastModified", "Key", "Size", "StorageClass"}


def test_a_selector_sees_the_item_and_the_input(bench: Bench) -> None:
    """The item through the context object."""
    selector = {
        "value.$": "$$.Map.Item.Value",
        "at.$": "$$.Map.Item.Index",
        "all.$": "$.items",
    }
    definition = distributed(_ECHO, ItemsPath="$.items", ItemSelector=selector)
    assert bench.run(definition, {"items": ["a", "b"]}).output == [
        {"value": "a", "at": 0, "all": ["a", "b"]},
        {"value": "b", "at": 1, "all": ["a", "b"]},
    ]


def test_batches_hold_so_many_items(bench: Bench) -> None:
    """The last one what is left; each child is given one, with what they share."""
    batcher = {"MaxItemsPerBatchPath": "$.most", "BatchInput": {"run.$": "$.run"}}
    definition = distributed(_ECHO, ItemsPath="$.items", ItemBatcher=batcher)
    outcome = bench.run(definition, {"items": [1, 2, 3], "most": 2, "run": "r"})
    shared = {"BatchInput": {"run": "r"}}
    assert outcome.output == [shared | {"Items": [1, 2]}, shared | {"Items": [3]}]


def test_batches_hold_so_many_bytes(bench: Bench) -> None:
    """In JSONata, the limit an expression; an item that is larger stands alone."""
    batcher = {"MaxInputBytesPerBatch": "{% $states.input.most %}"}
    definition = {"QueryLanguage": "JSONata"} | distributed(
        _ECHO, Items="{% $states.input.items %}", ItemBatcher=batcher
    )
    outcome = bench.run(definition, {"items": ["ab", "cd", "e" * 40], "most": 24})
    assert [each["Items"] for each in outcome.output] == [["ab", "cd"], ["e" * 40]]
