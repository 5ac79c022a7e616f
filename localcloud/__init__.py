"""The local cloud: one gateway process, its life, and deployments to it with the real CDK CLI.

Rooms: `lifecycle` (start, find, stop), `deployment` (the CDK CLI), `gateway` (the one port),
`emulator` (MiniStack, hooked), `stepfunctions` (the interpreter of state machines), `sagemaker`
(jobs and endpoints, in a process of its own), `hooks` (how libraries are changed, and the check).
"""

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
