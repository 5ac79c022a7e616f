"""S3 addresses, and where an object lies in a job's folder."""

import pytest

from localcloud.sagemaker.storage import Location, parse_uri, relative_key


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/a/b.csv",
        "https://s3.eu-west-3.amazonaws.com/bucket/a/b.csv",
        "https://s3.amazonaws.com/bucket/a/b.csv",
        "https://bucket.s3.eu-west-3.amazonaws.com/a/b.csv",
        "https://bucket.s3.amazonaws.com/a/b.csv",
    ],
)
def test_every_form_of_an_address_is_read(uri: str) -> None:
    """The https forms that CDK and consoles write are the s3 form."""
    assert parse_uri(uri) == Location("bucket", "a/b.csv")


def test_other_addresses_are_none_of_s3() -> None:
    """An address of another host is refused."""
    with pytest.raises(ValueError, match="is no S3 address"):
        parse_uri("https://example.org/bucket/key")


@pytest.mark.parametrize(
    ("prefix", "key", "name"),
    [
        ("train/", "train/a.csv", "a.csv"),
        ("train", "train/a.csv", "a.csv"),
        ("train/a.csv", "train/a.csv", "a.csv"),
        ("data/tr", "data/train/a.csv", "train/a.csv"),
        ("train/", "train/deep/a.csv", "deep/a.csv"),
        ("", "a.csv", "a.csv"),
    ],
)
def test_objects_keep_what_the_prefix_leaves(prefix: str, key: str, name: str) -> None:
    """The prefix is cut off; it need not end at a slash, and may be the object itself."""
    assert relative_key(prefix, key) == name
