"""Volumes of SageMaker's instances: how small and how large they may be. Pure."""

SMALLEST_GB = 30
# The quota of a new account for the volume of an instance of a processing or training job; it can
# be raised, and then the setting `largest_volume_gb`.
LARGEST_GB = 1024


def gigabytes(size: float) -> int:
    """Return how many whole GB hold so many bytes."""
    return int(-(-size // 10**9))
