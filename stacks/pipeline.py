"""The stack of the pipelines: the steps' functions, and the state machines that call them."""

from collections.abc import Callable, Mapping

from aws_cdk import Annotations, CfnOutput
from constructs import Construct

from spine.shipped import load
from stacks.base import SpineStack
from stacks.machine.composition import Pipeline, Steps
from stacks.machine.state_machine import Machine
from stacks.pipelines import PIPELINES
from stacks.removal import remove_with
from stacks.settings import Settings
from stacks.storage import Storage


class PipelineStack(SpineStack):
    """Provisions a state machine for each pipeline.

    Attributes:
        steps: What the machines are made of, provisioned once.
        machines: In the order of the pipelines.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: Settings,
        storage: Storage,
        pipelines: Mapping[str, Callable[[Steps], Pipeline]] = PIPELINES,
    ) -> None:
        """Provision them.

        Args:
            scope: The app.
            settings: Of the stage.
            storage: Holds the runs.
            pipelines: By their machine's label.
        """
        super().__init__(
            scope,
            "pipeline",
            settings=settings,
            description="Spine: the functions and the state machine",
        )
        self._say_until_when_images_are_supported()
        self.steps = Steps(self, storage)
        self.machines = [
            Machine(self, pipeline(self.steps), storage=storage, label=label)
            for label, pipeline in pipelines.items()
        ]
        remove_with(self, self.machines)
        for machine in self.machines:
            CfnOutput(self, f"{machine.label}StateMachineArn", value=machine.state_machine_arn)

    def _say_until_when_images_are_supported(self) -> None:
        """Tell it at each synthesis: the day has no other way to a person who deploys."""
        for algorithm in load("algorithms").ALGORITHMS.values():
            version = self.settings.version(algorithm)
            ends = algorithm.image.support_ends.get(version, "a day that Spine does not know")
            Annotations.of(self).add_info_v2(
                f"spine:{algorithm.version_setting}",
                f"SageMaker supports its {algorithm.title} image {version} until {ends}"
                f" ({algorithm.version_setting} in cdk.json).",
            )
