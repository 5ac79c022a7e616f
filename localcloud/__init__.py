"""The local cloud: one gateway process, its life, and deployments to it with the real CDK CLI."""

from localcloud.conditions import Conditions
from localcloud.deployment import DeployError, deploy, destroy, diff
from localcloud.lifecycle import Cloud, CloudError, running, start, stop

__all__ = [
    "Cloud",
    "CloudError",
    "Conditions",
    "DeployError",
    "deploy",
    "destroy",
    "diff",
    "running",
    "start",
    "stop",
]
