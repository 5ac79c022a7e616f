"""Several files of one table: a folder's, or those that a pattern names in a zip."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep import Limits, Prepared
from data_prep.bulk import blocks
from tests.data_prep.support import BULK, STREAMED, Machines, errors, run

NAMES = ("x", "n", "class")
ROWS = [(f"{at * 7 % 30}.25", str(at % 13), ("Abnormal", "Normal")[at % 2]) for at in range(90)]


def csv_of(rows: Sequence[tuple[str, ...]], names: tuple[str, ...] = NAMES) -> bytes:
    """A CSV file."""
    return "".join(",".join(row) + "\n" for row in [names, *rows]).encode()


def json_of(rows: Sequence[tuple[str, ...]]) -> bytes:
    """A file of JSON lines."""
    return "".join(
        f'{{"x": {x}, "n": {n}, "class": {json.dumps(label)}}}\n' for x, n, label in rows
    ).encode()


def arff_of(rows: Sequence[tuple[str, ...]]) -> bytes:
    """An ARFF file."""
    head = "@relation r\n@attribute x real\n@attribute n real\n@attribute class {Abnormal,Normal}\n"
    return (head + "@data\n").encode() + csv_of(rows).partition(b"\n")[2]


def parquet_of(rows: Sequence[tuple[str, ...]]) -> bytes:
    """A Parquet file."""
    sink = io.BytesIO()
    x, n, label = zip(*rows, strict=True)
    table = {"x": list(map(float, x)), "n": list(map(int, n)), "class": list(label)}
    pq.write_table(pa.table(table), sink)
    return sink.getvalue()


def zstd(content: bytes) -> bytes:
    """What the codec makes of it."""
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


def prepared(files: dict[str, bytes], **options: Any) -> Prepared:
    """Prepare the files of a zip as one table."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return run(buffer.getvalue(), "folder.zip", **{"member": "*", **options})


@pytest.mark.parametrize("limits", [Limits(), BULK])
@pytest.mark.parametrize("write", [csv_of, json_of, arff_of, parquet_of])
def test_parts_are_read_as_one_file_of_all_their_rows(
    write: Callable[[Sequence[tuple[str, ...]]], bytes], limits: Limits
) -> None:
    """The same files as of one, in the order of the names and not of the archive."""
    parts = {"part-1": ROWS[30:50], "part-0": ROWS[:30], "part-2": ROWS[50:]}
    files = {f"{name}.{write.__name__[:-3]}": write(rows) for name, rows in parts.items()}
    done = prepared(files, limits=limits)
    assert done.files == run(write(ROWS), f"x.{write.__name__[:-3]}", limits=limits).files


def test_what_is_no_data_is_passed_over() -> None:
    """Markers, hidden files and files without a byte; folders are entered."""
    files = {
        "_SUCCESS": b"",
        "a/part-0.csv": csv_of(ROWS[:40]),
        "a/_metadata.csv": b"no,table\n",
        ".hidden/part-1.csv": b"x",
        "b/empty.csv": b"",
        "b/part-1.csv": csv_of(ROWS[40:]),
    }
    done = prepared(files)
    assert [part.name for part in done.member.parts] == ["a/part-0.csv", "b/part-1.csv"]
    assert done.files == run(csv_of(ROWS), "x.csv").files


def test_a_pattern_chooses_and_a_folder_is_one() -> None:
    """Without a pattern several files of data are still refused."""
    files = {"a/1.csv": csv_of(ROWS[:50]), "a/2.csv": csv_of(ROWS[50:]), "b/3.csv": b"other,file\n"}
    expected = run(csv_of(ROWS), "x.csv").files
    assert prepared(files, member="a/").files == expected
    assert prepared(files, member="*/[12].csv", limits=BULK).files == expected
    with pytest.raises(errors.AmbiguousMemberError):
        prepared(files, member=None)


@pytest.mark.parametrize("limits", [Limits(), BULK])
@pytest.mark.parametrize("write", [csv_of, json_of, parquet_of])
def test_folders_of_keys_are_columns(
    write: Callable[[Sequence[tuple[str, ...]]], bytes], limits: Limits
) -> None:
    """After the files' own, as Spark reads them; escapes are undone and Hive's null is a gap."""
    keys = {"year=2024/area=north%2Fwest": ROWS[:30], "year=2025/area=a,b": ROWS[60:]}
    keys["year=2025/area=__HIVE_DEFAULT_PARTITION__"] = ROWS[30:60]
    files = {f"{folder}/part.x": write(rows) for folder, rows in keys.items()}
    named = {"csv_of": "csv", "json_of": "json", "parquet_of": "parquet"}[write.__name__]
    options: dict[str, Any] = {"categorical": ("area",), "missing": "pass", "limits": limits}
    kind = None if named == "parquet" else named
    done = prepared(files, kind=kind, **options)
    extended = [
        (*row, "2024" if at < 30 else "2025", "north/west" if at < 30 else "" if at < 60 else "a;b")
        for at, row in enumerate(ROWS)
    ]
    whole = csv_of(extended, (*NAMES, "year", "area"))
    # A comma in CSV needs quotes.
    expected = run(whole.replace(b"a;b", b'"a,b"'), "x.csv", **options)
    assert done.files == expected.files
    assert done.features[-1].categories == ("a,b", "north/west")


def test_values_with_line_ends_and_quotes_are_made_longer_after_them() -> None:
    """Only where a row ends, whatever ends it; blank lines stay blank."""
    text = 'x,t,class\r\n1.5,"a ""b""\r\n,c",Normal\r\n\r\n2.5,d,"Abnormal"\r\n' + (
        "1.5,e,Normal\r\n2.5,d,Abnormal\r\n" * 20
    )
    done = prepared({"k=v/1.csv": text.encode()}, categorical=("t", "k"), allow_leakage=True)
    assert done.profile["rows"] == 42
    assert done.features[1].categories == ('a "b"\r\n,c', "d", "e")
    assert done.features[2].categories == ("v",)


@pytest.mark.parametrize("how", ["small", "large", "several machines"])
def test_a_refusal_names_the_file_and_its_own_line(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers, marks and whatever ends a line included."""
    monkeypatch.setattr(blocks, "SIZE", 200)
    options: dict[str, Any] = {"large": {"limits": BULK}, "small": {}}.get(
        how, {"spread": Machines()}
    )
    bad = csv_of([*ROWS[50:60], ("1", "?", "Normal"), *ROWS[60:]])
    files = {
        "1.csv": b"\xef\xbb\xbf" + csv_of(ROWS[:30]).replace(b"\n", b"\r\n"),
        "2.csv": csv_of(ROWS[30:50]).replace(b"\n", b"\r").rstrip(),
        "3.csv": bad,
    }
    with pytest.raises(errors.MissingValueError, match=r"^file '3\.csv', line 12, column 'n'"):
        prepared(files, **options)
    files["3.csv"] = csv_of(ROWS[50:])
    assert prepared(files, **options).profile["rows"] == 90


def test_parts_may_be_compressed_each_in_its_way() -> None:
    """As Spark and others write them."""
    packed: dict[str, Callable[[bytes], bytes]] = {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "xz": lzma.compress,
        "zst": zstd,
    }
    files = {
        f"{at}.csv.{suffix}": pack(csv_of(ROWS[at * 20 : at * 20 + 20]))
        for at, (suffix, pack) in enumerate(packed.items())
    }
    assert prepared(files).files == run(csv_of(ROWS[:80]), "x.csv").files


def test_keys_of_json_parts_are_gathered_over_all_of_them() -> None:
    """A key that only a later part has comes after those of the first."""
    rows = {
        "1.json": '{"b": 1.5, "class": "Normal"}\n',
        "2.json": '{"a": 2, "class": "Abnormal"}\n',
    }
    done = prepared({name: (row * 20).encode() for name, row in rows.items()}, missing="pass")
    assert [(each.name, each.missing) for each in done.features] == [("b", 20), ("a", 20)]


def test_a_part_without_rows_counts_for_nothing() -> None:
    """Spark writes one for an empty share."""
    files = {"0.parquet": parquet_of(ROWS), "1.parquet": _no_rows(), "2.csv": b""}
    assert prepared(files).profile["rows"] == 90


def _no_rows() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(parquet_of(ROWS))).slice(0, 0), sink)
    return sink.getvalue()


def test_the_profile_lists_the_files_and_their_hash() -> None:
    """The hash is that of the list as sha256sum prints it, and can be asked for."""
    files = {"a.csv": csv_of(ROWS[:40]), "b.csv": csv_of(ROWS[40:])}
    source = prepared(files).profile["source"]
    assert [(each["member"], each["bytes"]) for each in source["parts"]] == [
        (name, len(content)) for name, content in files.items()
    ]
    assert source["bytes"] == sum(map(len, files.values()))
    assert prepared(files, sha256=source["sha256"].upper()).profile["source"] == source


def test_several_machines_read_them_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks are cut from all files as from one."""
    monkeypatch.setattr(blocks, "SIZE", 200)
    files = {f"k={at // 30}/{at}.csv": csv_of(ROWS[at : at + 10]) for at in range(0, 90, 10)}
    machines = Machines()
    spread = prepared(files, spread=machines)
    streamed = prepared(files, limits=STREAMED)
    assert spread.profile == streamed.profile
    everything = {**spread.files, **machines.files}
    for path, whole in streamed.files.items():
        parts = sorted(name for name in everything if name.startswith(path.partition("/")[0]))
        assert b"".join(everything[part] for part in parts) == whole
