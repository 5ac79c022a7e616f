"""The run's data profile, which says how wide the rows of its files are."""

import json
from typing import Any

from botocore.exceptions import ClientError

from . import s3
from .errors import SpineError

NAME = "data_profile.json"


class DataProfileError(SpineError):
    """The run's data profile is missing, damaged, or not that of the data which was prepared."""


def feature_count(folder: s3.Location, *, prepared: int) -> int:
    """Return how many features each row of the run's files has, by its data profile.

    The container scores a row that is too short without a word, and wrongly, so whoever sends rows
    or pairs them with predictions checks their width.

    Args:
        folder: The run's folder.
        prepared: How many features the preparation of this run reported.

    Raises:
        DataProfileError: There is no profile, or it is another file's.
    """
    place = folder.join(NAME)
    try:
        found: Any = json.loads(s3.read(place))
        width = found["row_width"]["features"]
    except ClientError as error:
        # Without permission to list the bucket, S3 says "access denied" of what is not there.
        if error.response["Error"]["Code"] not in ("NoSuchKey", "AccessDenied"):
            raise
        raise DataProfileError(
            f"There is no data profile at {place.uri} ({error}). It was deleted after the data was"
            " prepared; start a new run."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataProfileError(
            f"{place.uri} is not a data profile ({type(error).__name__}: {error}). It was changed"
            " after the data was prepared; start a new run."
        ) from error
    if width != prepared:
        raise DataProfileError(
            f"{place.uri} tells of rows of {width!r} features; this run prepared {prepared}. The"
            " files of the run were changed; start a new one."
        )
    return prepared
