"""Addresses in S3, and what is read and written there."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from spine.shipped import load
from tests.dropping import DROPS, SECRET, stopping
from tests.preparing import Store
from tests.support import FakeS3, use_clients

s3 = load("common.s3")

CONTENT = b"".join(b"%04d,five\n" % number for number in range(10))


@pytest.mark.parametrize(
    ("uri", "bucket", "key"),
    [
        ("s3://b/k", "b", "k"),
        ("s3://b/a/b c/é?#.csv", "b", "a/b c/é?#.csv"),
        ("s3://b/folder/", "b", "folder/"),
        ("s3://b", "b", ""),
        ("s3://b//k", "b", "/k"),
    ],
)
def test_an_address_splits_at_the_first_slash(uri: str, bucket: str, key: str) -> None:
    """Everything after the bucket is the key, whatever it contains."""
    assert s3.parse_uri(uri) == (bucket, key)


@pytest.mark.parametrize("uri", ["", "s3://", "s3:///k", "https://b/k", "b/k", "S3://b/k"])
def test_a_text_that_is_no_address_is_refused(uri: str) -> None:
    """The refusal shows the text and the form expected."""
    with pytest.raises(s3.S3AddressError, match=r"s3://bucket/key"):
        s3.parse_uri(uri)


def test_joining_adds_one_slash() -> None:
    """A folder with or without its slash gives the same location, and the address comes back."""
    assert s3.parse_uri("s3://b/a").join("x").uri == "s3://b/a/x"
    assert s3.parse_uri("s3://b/a/").join("x").uri == "s3://b/a/x"
    assert s3.parse_uri("s3://b").join("x").uri == "s3://b/x"


@pytest.mark.parametrize("content", ["", "\n", "a", "a\n", "a\n\nbcd,e\r\nf", "\n\né\n", "x" * 9])
@pytest.mark.parametrize("piece", [1, 2, 3, 100])
def test_lines_are_the_same_however_an_object_comes(
    monkeypatch: pytest.MonkeyPatch, content: str, piece: int
) -> None:
    """Blank ones within stay; after the last line end there is none."""
    fake = FakeS3()
    use_clients(monkeypatch, s3=fake)
    monkeypatch.setattr(s3, "_PIECE", piece)
    fake.put_object(Bucket="b", Key="k", Body=content)
    found = list(s3.lines(s3.Location("b", "k")))
    assert found == content.encode().removesuffix(b"\n").split(b"\n") if content else found == []


def test_objects_are_written_and_read_by_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading without a version gives the newest."""
    fake = FakeS3()
    use_clients(monkeypatch, s3=fake)
    place = s3.Location("b", "k")
    s3.write(place, b"one", content_type="text/csv")
    s3.write(place, b"two", content_type="text/csv")
    assert s3.read(place) == b"two"
    assert s3.read(place, version_id="1") == b"one"
    assert fake.content_types["b", "k"] == "text/csv"


MIB = 1 << 20


class Parts(FakeS3):
    """Knows which objects came whole, and which in parts."""

    def __init__(self) -> None:
        super().__init__()
        self.in_parts: list[str] = []

    def upload_fileobj(self, Fileobj: Any, Bucket: str, Key: str, ExtraArgs: Any) -> None:  # noqa: N803
        """Note it, and take it."""
        self.in_parts.append(Key)
        super().upload_fileobj(Fileobj, Bucket, Key, ExtraArgs)


@pytest.mark.parametrize(("size", "parted"), [(0, False), (8 * MIB, False), (8 * MIB + 1, True)])
def test_a_file_of_more_than_8_mib_is_written_in_parts(
    monkeypatch: pytest.MonkeyPatch, size: int, parted: bool
) -> None:
    """From its beginning, wherever it was read to; with its type either way."""
    fake = Parts()
    use_clients(monkeypatch, s3=fake)
    file = io.BytesIO(b"x" * size)
    file.seek(size // 2)
    s3.write_file(s3.Location("b", "k"), file, content_type="text/csv")
    assert [len(each) for each in fake.objects["b", "k"]] == [size]
    assert fake.content_types["b", "k"] == "text/csv"
    assert fake.in_parts == (["k"] if parted else [])


def test_lines_are_read_a_mebibyte_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However large the object is."""
    asked: list[int | None] = []

    class Body(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size)
            return super().read(size)

    class Large:
        def get_object(self, **given: str) -> dict[str, Any]:
            assert given == {"Bucket": "b", "Key": "k"}
            return {"Body": Body(b"a\nb"), "ContentLength": 3}

    use_clients(monkeypatch, s3=Large())
    assert list(s3.lines(s3.Location("b", "k"))) == [b"a", b"b"]
    assert set(asked) == {MIB}


def test_an_object_that_is_not_there_is_noticed_before_the_first_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever asks for lines need not take one to learn it."""
    use_clients(monkeypatch, s3=FakeS3())
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.lines(s3.Location("b", "k"))


class Dropping(FakeS3):
    """Its connections end before the body does, after so many bytes each.

    Attributes:
        error: What the body raises then.
        asked: The ranges that were asked for.
    """

    def __init__(self, error: Exception, after: int, content: bytes = CONTENT) -> None:
        super().__init__()
        self.error, self.after = error, after
        self.asked: list[object] = []
        self.put_object(Bucket="b", Key="k", Body=content)

    def get_object(self, **given: Any) -> dict[str, Any]:
        """Answer with a body that stops."""
        self.asked.append(given.get("Range"))
        answer = super().get_object(**given)
        content = answer["Body"].read()
        return answer | {"Body": stopping(content, self.after, self.error)}


@pytest.mark.parametrize("error", DROPS, ids=lambda error: type(error).__name__)
def test_an_object_is_read_on_where_its_connection_was_lost(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whatever the libraries raise for it: whole, by lines, and of one version."""
    fake = Dropping(error, after=len(CONTENT) // 3 + 1)
    use_clients(monkeypatch, s3=fake)
    place = s3.Location("b", "k")
    assert s3.read(place) == CONTENT
    assert fake.asked == [None, "bytes=34-", "bytes=68-"]
    assert list(s3.lines(place)) == CONTENT.split(b"\n")[:-1]
    assert s3.read(place, version_id="1") == CONTENT


@pytest.mark.parametrize("error", DROPS, ids=lambda error: type(error).__name__)
def test_an_object_that_never_comes_whole_has_a_name_for_it(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """After four tries; the message says how far it came, and nothing in the library's words."""
    fake = Dropping(error, after=10)
    use_clients(monkeypatch, s3=fake)
    with pytest.raises(s3.ObjectUnreachableError, match=r"Only 40 of 100 bytes of s3://b/k") as e:
        s3.read(s3.Location("b", "k"))
    assert SECRET not in str(e.value)
    assert len(fake.asked) == 4


def test_an_object_that_changes_meanwhile_is_not_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of another version is no rest."""
    fake = Dropping(DROPS[0], after=10)
    use_clients(monkeypatch, s3=fake)
    pieces = s3.Stream(s3.Location("b", "k")).pieces(10)
    assert next(pieces) == CONTENT[:10]
    fake.put_object(Bucket="b", Key="k", Body=b"y" * 100)
    with pytest.raises(s3.ObjectUnreachableError, match="s3://b/k was written anew"):
        next(pieces)


def test_a_connection_that_is_lost_at_the_very_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything has arrived, and S3 has no range beyond it."""
    fake = Dropping(DROPS[0], after=len(CONTENT))
    use_clients(monkeypatch, s3=fake)
    assert s3.read(s3.Location("b", "k")) == CONTENT
    assert fake.asked == [None]


def test_a_refusal_of_the_rest_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the object was deleted meanwhile."""
    fake = Dropping(DROPS[0], after=10)
    use_clients(monkeypatch, s3=fake)
    pieces = s3.Stream(s3.Location("b", "k")).pieces(10)
    next(pieces)
    del fake.objects["b", "k"]
    with pytest.raises(ClientError, match="NoSuchKey"):
        next(pieces)


def test_a_folder_has_the_bytes_of_all_its_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those beside it do not count."""
    store = Store()
    use_clients(monkeypatch, s3=store)
    for key, size in (("runs/r/train/a", 3), ("runs/r/train/b", 40), ("runs/r/train2", 500)):
        store.put_object(Bucket="b", Key=key, Body=b"x" * size)
    assert s3.size_below(s3.Location("b", "runs/r/train/")) == 43
    assert s3.size_below(s3.Location("b", "runs/r/none/")) == 0
