"""Which engine prepares the data: a function, one processing instance, or Spark over several.

The thresholds come from measurements (docs/data-preparation.md) and from Lambda's quotas: 15
minutes, 10,240 MB of memory and as much disk. Sizes are those of the source as it is stored.
"""

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from ..common.problems import Problem
from ..common.volumes import LARGEST_GB, SMALLEST_GB, gigabytes
from .refusal import refuse
from .sections import Preparation

Engine = Literal["lambda", "processing", "spark"]

_GIB = 1 << 30
# Their rows take several times as many bytes once unpacked: archives, and the formats of which
# `data_prep` says so (this function goes without it; a test holds the two together).
PACKED = (".zip", ".gz", ".gzip", ".bz2", ".xz", ".zst", ".parquet", ".xlsx", ".xlsm")
_PACKING = 6

# Up to these sizes, unpacked: half of what the function's disk holds beside the files written from
# it; and what one instance prepares within about an hour.
_MOST_OF_FUNCTION = 2 * _GIB
_MOST_OF_INSTANCE = 32 * _GIB

_TYPES: dict[Engine, str] = {"processing": "ml.m5.xlarge", "spark": "ml.m5.2xlarge"}
_SPARK_INSTANCES = 2

# What each engine refuses for its size. While rows are dealt out each takes about 30 bytes of
# memory: of the function's 3 GB, of the instance's 16 GB. Spark's driver keeps 16 bytes a row, its
# executors the rest.
LIMITS: dict[Engine, dict[str, int]] = {
    "lambda": {
        "source_bytes": 4 * _GIB,
        "member_bytes": 8 * _GIB,
        "rows": 100_000_000,
        "fetch_seconds": 600,
    },
    "processing": {
        "source_bytes": 64 * _GIB,
        "member_bytes": 128 * _GIB,
        "rows": 400_000_000,
        "fetch_seconds": 4 * 3600,
    },
    "spark": {
        "source_bytes": 512 * _GIB,
        "member_bytes": 1024 * _GIB,
        "rows": 1_500_000_000,
        "fetch_seconds": 12 * 3600,
    },
}

_UNKNOWN_VOLUME_GB = 200
# Of one instance's volume, for the unpacked source, the files made of it, and what is between.
_COPIES = 4
# Spark's driver keeps the source as it came; blocks and files go to S3 from memory. Half as much as
# is unpacked is for the test part, and for what executors beside it cannot keep in memory.
_SPILLED = 0.5


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is known of a source before it is fetched.

    Attributes:
        uri: Its address.
        size: Its bytes; None where nobody says.
        why_not: Why the size is not known.
        files: How many objects a folder holds; None for one file.
        packed_bytes: Of a folder's, those of packed files.
    """

    uri: str
    size: int | None
    why_not: str = ""
    files: int | None = None
    packed_bytes: int = 0

    @property
    def unpacked(self) -> int | None:
        """About how many bytes its rows have."""
        if self.size is None:
            return None
        if self.files is not None:
            return self.size + self.packed_bytes * (_PACKING - 1)
        return self.size * _PACKING if is_packed(urlsplit(self.uri).path) else self.size


def is_packed(path: str) -> bool:
    """Tell by a file's name whether its rows take several times as many bytes once unpacked."""
    return posixpath.splitext(path.lower())[1] in PACKED


def choose(
    wanted: Preparation,
    look: Callable[[], Source],
    *,
    training_instances: int,
    spark: bool,
    largest_volume_gb: int = LARGEST_GB,
    is_folder: bool = False,
) -> dict[str, Any]:
    """Return the plan's part on preparation.

    Args:
        wanted: What the execution input says.
        look: Finds out the source's size; not called where nothing depends on it.
        training_instances: Of the training job, which reads Spark's files in shares.
        spark: Whether SageMaker has its Spark image in this region.
        largest_volume_gb: Of a job's instance.
        is_folder: Whether the source is one.

    Raises:
        InvalidInputError: No instance has a volume for the source.
    """
    # A folder is looked at in any case: that it is empty or too large costs nothing here.
    ask = wanted.engine != "lambda" or is_folder
    source = look() if ask else Source(uri="", size=None)
    engine, reason = _engine(wanted, source, spark=spark)
    count = (wanted.instance_count or _SPARK_INSTANCES) if engine == "spark" else 1
    return {
        "engine": engine,
        "reason": reason,
        "source_bytes": source.size,
        "source_files": source.files,
        "instance_type": wanted.instance_type or _TYPES.get(engine),
        "instance_count": count,
        "volume_gb": _volume(source, engine, largest_volume_gb),
        "largest_volume_gb": largest_volume_gb,
        "max_runtime_seconds": wanted.max_runtime_seconds,
        "distribution": "ShardedByS3Key"
        if engine == "spark" and training_instances > 1
        else "FullyReplicated",
        "shards": max(count, training_instances),
        "limits": LIMITS[engine],
    }


def _engine(wanted: Preparation, source: Source, *, spark: bool) -> tuple[Engine, str]:
    if wanted.engine != "auto":
        return wanted.engine, "the execution input asks for it"
    if source.unpacked is None:
        return "lambda", f"the source's size is not known ({source.why_not})"
    files = "" if source.files is None else f" in {source.files:,} files"
    about = f"the source has {source.size:,} bytes{files}"
    if source.unpacked != source.size:
        about += f", about {source.unpacked:,} unpacked"
    if source.unpacked <= _MOST_OF_FUNCTION:
        return "lambda", f"{about}; a function is used up to {_MOST_OF_FUNCTION:,}"
    if source.unpacked <= _MOST_OF_INSTANCE:
        return "processing", f"{about}; one instance is used up to {_MOST_OF_INSTANCE:,}"
    if not spark:
        return "processing", f"{about}; SageMaker has no Spark image in this region"
    return "spark", f"{about}; beyond {_MOST_OF_INSTANCE:,} several instances are used"


def _volume(source: Source, engine: Engine, largest: int) -> int:
    if source.size is None or source.unpacked is None:
        return min(_UNKNOWN_VOLUME_GB, largest)
    # What unpacks to more is refused while it is read.
    unpacked = min(source.unpacked, LIMITS[engine]["member_bytes"])
    size = source.size + _SPILLED * unpacked if engine == "spark" else _COPIES * unpacked
    needed = max(gigabytes(size), SMALLEST_GB)
    if engine != "lambda" and needed > largest:
        raise refuse(
            [
                Problem(
                    "source.uri",
                    f"a file of {source.size:,} bytes takes a volume of {needed:,} GB to prepare,"
                    f" and {largest:,} GB is the largest of an instance here",
                    "Give fewer rows or columns; or have SageMaker's quota for the volume of a"
                    " processing job raised, set largest_volume_gb in cdk.json and deploy again.",
                )
            ]
        )
    return min(needed, largest)
