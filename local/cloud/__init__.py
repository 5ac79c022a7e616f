"""The local cloud: one gateway process, its life, and deployments to it with the real CDK CLI."""

from .cdk import DeployError, deploy, destroy, diff
from .conditions import Conditions
from .lifecycle import Cloud, CloudError, running, start, stop

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
