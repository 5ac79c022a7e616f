"""The local cloud: one gateway process, its life, and deployments to it with the real CDK CLI."""

from localcloud.conditions import Conditions
from localcloud.deployment import DeployError, deploy, destroy, diff
from localcloud.lifecycle import (
    Cloud,
    CloudError,
    end_clouds_with_this_process,
    running,
    start,
    stop,
)

__all__ = [
    "Cloud",
    "CloudError",
    "Conditions",
    "DeployError",
    "deploy",
    "destroy",
    "diff",
    "end_clouds_with_this_process",
    "running",
    "start",
    "stop",
]
