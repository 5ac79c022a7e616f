"""The width of rows by the run's data profile."""

import json

import pytest

from spine.shipped import load
from tests.support import FakeS3, client_error, use_clients

profile = load("common.profile")
s3 = load("common.s3")

FOLDER = s3.Location("b", "runs/r/")


def stored(monkeypatch: pytest.MonkeyPatch, content: str | None) -> None:
    """Put a profile in the run's folder, or none."""
    fake = FakeS3()
    if content is not None:
        fake.put_object(Bucket="b", Key="runs/r/data_profile.json", Body=content)
    use_clients(monkeypatch, s3=fake)


def test_the_profile_says_how_wide_rows_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of features is the one that the preparation wrote."""
    stored(monkeypatch, json.dumps({"row_width": {"labelled": 7, "features": 6}}))
    assert profile.feature_count(FOLDER, prepared=6) == 6


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no data profile at s3://b/runs/r/data_profile.json .* start a new run"),
        ("", "is not a data profile"),
        ("{}", "is not a data profile .KeyError: 'row_width'."),
        ("[6]", "is not a data profile"),
        ('{"row_width": {"features": 5}}', "rows of 5 features; this run prepared 6"),
        ('{"row_width": {"features": "6"}}', "rows of '6' features; this run prepared 6"),
    ],
)
def test_a_profile_that_does_not_fit_is_refused(
    monkeypatch: pytest.MonkeyPatch, content: str | None, says: str
) -> None:
    """Missing, damaged or another run's: the message says which and what to do."""
    stored(monkeypatch, content)
    with pytest.raises(profile.DataProfileError, match=says):
        profile.feature_count(FOLDER, prepared=6)


def test_a_failure_of_s3_itself_is_not_about_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a retry may mend keeps its own name."""

    class Down:
        def get_object(self, **_: str) -> None:
            raise client_error("SlowDown", "Slow down.", "GetObject")

    use_clients(monkeypatch, s3=Down())
    with pytest.raises(type(client_error("SlowDown", "Slow down.", "GetObject")), match="SlowDown"):
        profile.feature_count(FOLDER, prepared=6)
