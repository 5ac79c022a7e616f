"""What training on the prepared files needs of its instances: a volume, and memory. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from ..common.errors import SpineError
from ..common.volumes import LARGEST_GB, SMALLEST_GB, gigabytes

# In File mode SageMaker stores the channels on each instance's volume, and the container its model
# beside them. A quarter more than the files, and a tenth of the smallest volume for the model.
_MARGIN = 1.25
_FOR_MODEL = 3 << 30
# SageMaker does not say how it deals out shards of unequal size.
_UNEQUAL = 2
# A value in XGBoost's memory: its column and the number itself, 4 bytes each.
_VALUE_BYTES = 8

# GiB of memory for each vCPU, by what the name of an instance family begins with, and vCPUs by
# size. Of other families (with accelerators, with local disks of their own) nothing is said here.
_MEMORY = {"c": 2, "m": 4, "r": 8, "t": 4}
_TYPE = re.compile(r"ml\.(?P<family>[cmrt])\d[a-z]*\.(?P<count>\d*)(?P<size>medium|large|xlarge)")
_CPUS = {"medium": 2, "large": 2, "xlarge": 4}


class TrainingDataTooLargeError(SpineError):
    """No instance of the training job could hold what was prepared for it."""


def volume_gb(plan: Mapping[str, Any], files: Mapping[str, int], *, values: int) -> int:
    """Return the size of the training job's volume, in GB an instance.

    Args:
        plan: Of the run.
        files: Bytes of what was written for training, by part.
        values: How many numbers are in it.

    Raises:
        TrainingDataTooLargeError: The memory of the instances, or their volume, is too small: the
            job would fail after it has been paid for.
    """
    training, preparation = plan["training"], plan["preparation"]
    count = training["instance_count"]
    is_shared_out = preparation["distribution"] == "ShardedByS3Key"
    size = sum(files.values())
    memory = memory_of(training["instance_type"])
    together = count if is_shared_out else 1
    # "For CSV training input mode, the total memory available to the algorithm must be able to hold
    # the training dataset" (developer guide, XGBoost). Long numbers take less there than as text.
    if memory is not None and min(size, values * _VALUE_BYTES) > memory * together:
        raise TrainingDataTooLargeError(
            f"The training data has {size:,} bytes in {values:,} values, and"
            f" {together} x {training['instance_type']} has {memory * together:,} bytes of memory"
            f" for it. {_remedy(count, is_shared_out=is_shared_out)}"
        )
    share = size if not is_shared_out else min(size, _UNEQUAL * -(-size // count))
    needed = max(SMALLEST_GB, gigabytes(share * _MARGIN + _FOR_MODEL))
    # A run that is older than the setting has the default quota.
    largest = preparation.get("largest_volume_gb", LARGEST_GB)
    if needed > largest:
        raise TrainingDataTooLargeError(
            f"The training data has {size:,} bytes, which takes a volume of {needed:,} GB on each"
            f" instance, and {largest:,} GB is the largest here (SageMaker's quota, and the setting"
            f" largest_volume_gb in cdk.json). {_remedy(count, is_shared_out=is_shared_out)}"
        )
    return needed


def memory_of(instance_type: str) -> int | None:
    """Return the memory of an instance type in bytes, rounded up; None where it is not known."""
    found = _TYPE.fullmatch(instance_type)
    if found is None:
        return None
    cpus = _CPUS[found["size"]] * int(found["count"] or 1)
    return cpus * _MEMORY[found["family"]] << 30


def _remedy(count: int, *, is_shared_out: bool) -> str:
    if is_shared_out:
        return (
            f"Give training.instance_count more than {count}, training.instance_type a larger type,"
            " or fewer rows or columns."
        )
    return (
        "Give training.instance_type a larger type, or fewer rows or columns; or set"
        ' preparation.engine to "spark" and training.instance_count to more than 1: each instance'
        " then holds a share."
    )
