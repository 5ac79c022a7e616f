"""What the process is told at its start."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# What each delay slows down: every secondary state of a training job, an endpoint's creation,
# update and deletion, and the start of a transform job.
DELAYS = ("training", "endpoint-create", "endpoint-update", "endpoint-delete", "transform")
# What Service Quotas calls the uses of an instance type.
QUOTA_USES = ("endpoint", "training job", "transform job")
_QUOTA = re.compile(r"(?P<type>ml\.[a-z0-9-]+\.[a-z0-9]+)/(?P<use>[a-z-]+)=(?P<count>\d+)")


def one_a_core() -> int:
    """One job a core; on a single one two all the same, as half of a job is waiting for S3."""
    return max(2, os.cpu_count() or 1)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The process's settings.

    Attributes:
        jobs: Folder that receives one folder a job or model server.
        short_folder: Where the sockets of model servers are if the path of `jobs` is too long for
            them; the system's temporary folder when left out.
        aws_endpoint: Address of the S3 that holds data and models; None means AWS itself.
        access_key_id: What it signs with at `aws_endpoint`; a local service takes any by default,
            and the user's own must not be sent to it.
        secret_access_key: The same.
        region: Region that ARNs and S3 requests name.
        account: Twelve-digit account that ARNs name.
        delays: Seconds added to each of `DELAYS`; none by default.
        stop_grace: Seconds between SIGTERM and SIGKILL for a job that is stopped. AWS: 120.
        assume_roles: Whether S3 is asked under the role that a request passes, as AWS does, so that
            the role's permissions decide; needs STS at `aws_endpoint`.
        quotas: Instances there may be at once, by the quota's name
            (`ml.m4.xlarge for endpoint usage`); what has no quota is not limited.
        consistency_lag: Seconds for which a model or endpoint configuration that has just been
            made is not found by other operations, as the API reference of CreateEndpoint warns.
        throttle: Requests a second that each control operation answers; None answers all.
        concurrent_jobs: Training, transform and processing jobs whose processes run at once, the
            others wait in their first state; and model servers that start at once.
    """

    jobs: Path
    short_folder: Path | None = None
    aws_endpoint: str | None = None
    access_key_id: str = "test"
    secret_access_key: str = field(default="test", repr=False)
    region: str = "us-east-1"
    account: str = "000000000000"
    delays: Mapping[str, float] = field(default_factory=dict)
    stop_grace: float = 120.0
    assume_roles: bool = False
    quotas: Mapping[str, int] = field(default_factory=dict)
    consistency_lag: float = 0.0
    throttle: float | None = None
    concurrent_jobs: int = field(default_factory=one_a_core)

    def delay(self, name: str) -> float:
        """The seconds to wait at `name`, one of `DELAYS`."""
        return self.delays.get(name, 0.0)


def parse_delay(text: str) -> tuple[str, float]:
    """Reads `training=2.5`.

    Raises:
        ValueError: The name is none of `DELAYS`, or the seconds are not a number from 0.
    """
    name, equals, value = text.partition("=")
    if not equals or name not in DELAYS:
        raise ValueError(f"{text!r} is not NAME=SECONDS with a name of {', '.join(DELAYS)}")
    seconds = float(value)
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{text!r}: the seconds must be 0 or more")
    return name, seconds


def parse_quota(text: str) -> tuple[str, int]:
    """Reads `ml.m4.xlarge/endpoint=2`; the uses are `endpoint`, `training-job`, `transform-job`.

    Raises:
        ValueError: It has another form, or another use.
    """
    match = _QUOTA.fullmatch(text)
    use = match["use"].replace("-", " ") if match else ""
    if match is None or use not in QUOTA_USES:
        uses = ", ".join(each.replace(" ", "-") for each in QUOTA_USES)
        raise ValueError(f"{text!r} is not INSTANCE_TYPE/USE=COUNT with a use of {uses}")
    return quota_name(match["type"], use), int(match["count"])


def quota_name(instance_type: str, use: str) -> str:
    """What Service Quotas calls the quota of an instance type for one of `QUOTA_USES`."""
    return f"{instance_type} for {use} usage"
