"""Where a source may lie."""

import pytest

from tests.planning import at, refused, says_one_problem

# (field, value, what the message must say besides the field)
REFUSALS: list[tuple[str, object, str]] = [
    ("source.uri", "", "neither an https:// nor an s3://"),
    ("source.uri", "http://archive.ics.uci.edu/a.zip", "neither an https:// nor an s3://"),
    ("source.uri", "file:///etc/passwd", "neither an https:// nor an s3://"),
    ("source.uri", "ftp://data.example.org/a.zip", "neither"),
    ("source.uri", "//data.example.org/a.zip", "neither"),
    ("source.uri", "https://169.254.169.254/latest/meta-data", "not on a host"),
    ("source.uri", "https://archive.ics.uci.edu.evil.example/a", "not on a host"),
    ("source.uri", "https://evil.example#archive.ics.uci.edu/a", "not on a host"),
    ("source.uri", "https://[::1]/a.zip", "a port"),
    ("source.uri", "https://archive.ics.uci.edu:8443/a.zip", "a port"),
    ("source.uri", "https://archive.ics.uci.edu@evil.example/a", "with credentials"),
    ("source.uri", "https://data.example.org/a.zip#part", "with a fragment"),
    ("source.uri", "https://data.example.org", "address of a folder"),
    ("source.uri", "https://data.example.org/a/", "address of a folder"),
    ("source.uri", "https://data.example.org\\@evil.example/a", "backslashes"),
    ("source.uri", "https://data.exa\tmple.org/a", "control characters"),
    ("source.uri", "https://data.example.org/a\x9bb", "control characters"),
    ("source.uri", "s3://spine-bucket/incoming/a\x7f.csv", "control characters"),
    ("source.uri", "https://data.example.org/" + "a" * 2048, "at most 2048 characters"),
    ("source.uri", "https://data.example.org/a?X-Amz-Signature=00", "secret in its query"),
    ("source.uri", "https://data.example.org/a?ACCESS_TOKEN=00", "secret in its query"),
    ("source.uri", "https://data.example.org/a?key=00", "secret in its query"),
    ("source.uri", "https://data.example.org/a?v=1&auth=00", "secret in its query"),
    ("source.uri", "https://data.example.org/a?code=00", "secret in its query"),
    ("source.uri", "https://dåta.example.org/a", "not on a host"),
    ("source.uri", "https://a\u00df.example.org/a", "host cannot be read"),
    ("source.uri", "s3://other-bucket/incoming/a.csv", "not in a bucket"),
    ("source.uri", "s3://spine-bucket.evil/incoming/a.csv", "not in a bucket"),
    ("source.uri", "s3://", "without a bucket"),
    ("source.uri", "s3://SPINE-bucket/incoming/a.csv", "without a bucket"),
    ("source.uri", "s3://spine-bucket", "a whole bucket"),
    ("source.uri", "s3://spine-bucket/incoming/", "the folder of all sources"),
    ("source.uri", "s3://partner-bucket/", "a whole bucket"),
    ("source.uri", "s3://spine-bucket/runs/", "incoming/ or uploads/"),
    ("source.uri", "s3://partner-bucket/a//", "Rename the object"),
    ("source.uri", "s3://spine-bucket/runs/other/train/train.csv", "incoming/ or uploads/"),
    ("source.uri", "s3://spine-bucket/incoming/../runs/x/train.csv", "Rename the object"),
    ("source.uri", "s3://spine-bucket/incoming//a.csv", "Rename the object"),
    ("source.uri", "s3://partner-bucket/./a.csv", "Rename the object"),
]


@pytest.mark.parametrize(("path", "value", "says"), REFUSALS)
def test_an_address_that_may_not_be_read_is_refused_by_name(
    path: str, value: object, says: str
) -> None:
    """Whatever it is written like, it leads to an allowed host or bucket or nowhere."""
    says_one_problem(refused(at(path, value)), path, says)


def test_a_refusal_shows_no_secret() -> None:
    """Causes stay in the execution history, which more people can read than the input's author."""
    for uri in (
        "https://me:hunter2@data.example.org/a.zip",
        "https://me:hunter2@data\u2100.example.org/a.zip",
        "https:/me:hunter2@data.example.org/a.zip",
        "https:\\\\me:hunter2@data.example.org/a.zip",
        "https://me:hunter2/x@data.example.org/a.zip",
        "https://me:x/hunter2@data.example.org/a.zip",
        "https://data.example.org/a.zip?token=hunter2",
        "https://other.example/a.zip?key=hunter2",
        "https://me:hunter2@data.example.org/" + "a" * 3000,
        "https://data.example.org/a.zip?key=hunter2",
        "https://data.example.org/a.zip?AUTH=hunter2",
        "https://data.example.org/a.zip?co%64e=hunter2",
        "https://data.example.org/a.zip?id=1#hunter2",
    ):
        assert "hunter2" not in refused({"source": {"uri": uri}})
