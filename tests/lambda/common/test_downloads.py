"""What has arrived of a file, what goes on with it, and what a server may say of it."""

import http.client
import io
import socket
from typing import cast

import pytest

from spine.shipped import load
from tests.fetching import HOST, Site, web

downloads = load("common.downloads")


class Wire:
    """What http.client reads an answer from, in a socket's place."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    def makefile(self, _mode: str) -> io.BytesIO:
        """All of it."""
        return io.BytesIO(self._said)


def said(status: str = "200 OK", *headers: str) -> http.client.HTTPResponse:
    """An answer with these lines, as http.client reads it; a lone half is one byte."""
    text = "\r\n".join((f"HTTP/1.1 {status}", *headers, "", ""))
    answer = http.client.HTTPResponse(
        cast("socket.socket", Wire(text.encode(errors="surrogateescape")))
    )
    answer.begin()
    return answer


@pytest.mark.parametrize("tag", ["", 'W/"v1"'])
def test_without_a_strong_tag_nothing_is_resumed(site: Site, tag: str) -> None:
    """A weak tag does not prove that the bytes are the same."""
    site.says("/a", body=b"abc", Content_Length="8", ETag=tag)
    site.says("/a", body=b"abcdefgh")
    assert web(site).fetch(f"https://{HOST}/a").file.read() == b"abcdefgh"
    assert "Range" not in site.headers[1]


def test_another_part_than_asked_for_is_not_joined(site: Site) -> None:
    """A server that sends the wrong range is asked for everything again."""
    site.says("/a", body=b"abc", Content_Length="8", ETag='"v1"')
    site.says("/a", 206, body=b"efgh", Content_Range="bytes 4-7/8", ETag='"v1"')
    site.says("/a", body=b"abcdefgh", ETag='"v1"')
    assert web(site).fetch(f"https://{HOST}/a").file.read() == b"abcdefgh"
    assert "Range" not in site.headers[2]


def test_nothing_is_resumed_before_anything_has_arrived() -> None:
    """A tag without a byte is no reason to ask for a part."""
    download = downloads.Download()
    assert download.resumption() == {}
    assert download.begin(said("200 OK", "Content-Length: 8", 'ETag: "v1"')) == 8
    assert download.resumption() == {}


def test_what_has_arrived_is_gone_on_with() -> None:
    """The rest is asked for on the tag's condition, and the whole is what is expected."""
    download = downloads.Download()
    download.begin(said("200 OK", "Content-Length: 8", 'ETag: "v1"'))
    download.file.write(b"abc")
    assert download.resumption() == {"Range": "bytes=3-", "If-Range": '"v1"'}
    rest = said(
        "206 Partial Content", "Content-Length: 5", "Content-Range: bytes 3-7/8", 'ETag: "v2"'
    )
    assert download.begin(rest) == 8
    assert download.file.tell() == 3
    assert download.resumption() == {"Range": "bytes=3-", "If-Range": '"v2"'}
    download.restart()
    assert (download.file.read(), download.resumption()) == (b"", {})


def test_an_answer_with_the_whole_file_begins_anew() -> None:
    """Nothing of what had arrived stays before it."""
    download = downloads.Download()
    download.begin(said("200 OK", 'ETag: "v1"'))
    download.file.write(b"abc")
    assert download.begin(said("200 OK", "Content-Length: 2")) == 2
    assert (download.file.tell(), download.file.read()) == (0, b"")


@pytest.mark.parametrize(
    "part",
    [
        "",
        "bytes 0-7/8",
        "bytes 4-7/8",
        "bytes 3-7",
        "bytes */8",
        "bytes 3-7/8, 9-9/8",
        "items 3-7/8",
        "bytes -3-7/8",
        "bytes 3-/8",
        f"bytes {'0' * 19}3-7/8",
    ],
)
def test_a_part_that_was_not_asked_for_begins_anew(part: str) -> None:
    """The first byte must be the next one, in the words of RFC 9110, 14.4."""
    download = downloads.Download()
    download.begin(said("200 OK", 'ETag: "v1"'))
    download.file.write(b"abc")
    headers = [f"Content-Range: {part}"] if part else []
    with pytest.raises(downloads.PassingError, match="another part of the file than asked for"):
        download.begin(said("206 Partial Content", *headers))
    assert download.file.tell() == 0
    assert download.resumption() == {}


@pytest.mark.parametrize("part", ["bytes 3-7/8", "bytes 3-7/*", "bytes 3-99999999999999999999/*"])
def test_the_next_part_may_be_of_a_file_of_unknown_size(part: str) -> None:
    """Servers that make the file as they send it do not know its end."""
    download = downloads.Download()
    download.begin(said("200 OK", 'ETag: "v1"'))
    download.file.write(b"abc")
    assert download.begin(said("206 Partial Content", f"Content-Range: {part}")) is None
    assert download.file.tell() == 3


@pytest.mark.parametrize(
    ("tag", "proves"),
    [
        ('"v1"', True),
        ('""', True),
        ('"!#~"', True),
        ('W/"v1"', False),
        ("v1", False),
        ('"v1', False),
        ('"v 1"', False),
        ('"v1", "v2"', False),
        ('"vé"', False),
    ],
)
def test_only_a_strong_tag_proves_that_the_file_is_the_same(tag: str, proves: bool) -> None:
    """RFC 9110, 8.8.3: quoted, of visible characters; of them, those that ASCII has."""
    download = downloads.Download()
    download.begin(said("200 OK", f"ETag: {tag}"))
    download.file.write(b"abc")
    assert bool(download.resumption()) == proves


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        (["Content-Length: 0"], 0),
        (["Content-Length: 5"], 5),
        (["Content-Length: 5", "Content-Length: 5"], 5),
        (["Content-Length: 5, 5"], 5),
        (["Content-Length: 5", "Transfer-Encoding: chunked"], None),
        (["Content-Length: 5, 4", "Transfer-Encoding: chunked"], None),
        (["Content-Length: " + "9" * 18], 10**18 - 1),
        (["Content-Length: " + "9" * 19], 10**18),
        (["Content-Length: " + "9" * 5000], 10**18),
    ],
)
def test_the_size_is_what_the_server_says_in_one_voice(
    headers: list[str], expected: int | None
) -> None:
    """Chunks have none; what is beyond any file is as good as any number beyond it."""
    assert downloads.declared(said("200 OK", *headers)) == expected


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 5", "Content-Length: 4"],
        ["Content-Length: 5, 4"],
        ["Content-Length: -5"],
        ["Content-Length: +5"],
        ["Content-Length: 5.0"],
        ["Content-Length: 0x5"],
        ["Content-Length: "],
        ["Content-Length: 5,"],
        ["Content-Length: \u0665"],
    ],
)
def test_several_sizes_and_what_is_no_number_are_refused(headers: list[str]) -> None:
    """Nobody could tell where the file ends."""
    with pytest.raises(downloads.PassingError, match="does not say one length"):
        downloads.declared(said("200 OK", *headers))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        (["Transfer-Encoding: chunked"], None),
        (["Transfer-Encoding: Chunked"], None),
        (["Transfer-Encoding: chunked "], "chunked "),
        (["Transfer-Encoding: chunked\t"], "chunked\t"),
        (["Transfer-Encoding: \x0bchunked"], "\x0bchunked"),
        (["Transfer-Encoding: chunked\x0c"], "chunked\x0c"),
        (["Transfer-Encoding: \x1cchunked"], "\x1cchunked"),
        (["Transfer-Encoding: chunked\udca0"], "chunked\xa0"),
        (["Transfer-Encoding: chunked\udc85"], "chunked\x85"),
        (["Transfer-Encoding: "], ""),
        (["Transfer-Encoding: ", "Transfer-Encoding: chunked"], ", chunked"),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "chunked, chunked"),
        (["Transfer-Encoding: identity"], "identity"),
        (["Transfer-Encoding: gzip, chunked"], "gzip, chunked"),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: gzip"], "chunked, gzip"),
        (["Content-Encoding: identity"], None),
        (["Content-Encoding: gzip"], None),
        (["Content-Encoding: X-GZIP"], None),
        (["Content-Encoding: "], None),
        (["Content-Encoding: gzip "], None),
        (["Content-Encoding: \x0bgzip"], "\x0bgzip"),
        (["Content-Encoding: br"], "br"),
        (["Content-Encoding: gzip", "Content-Encoding: deflate"], "deflate"),
        (["Content-Encoding: chunked"], "chunked"),
    ],
)
def test_a_packing_that_is_not_undone_is_named(headers: list[str], expected: str | None) -> None:
    """A file in gzip is taken as it comes: it is unpacked where it is read."""
    assert downloads.unknown_packing(said("200 OK", *headers)) == expected
