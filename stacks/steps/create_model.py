"""Create the model: what the training job wrote, as something that SageMaker can serve."""

from aws_cdk import aws_iam as iam

from stacks.machine.adopting import Adopting
from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.retrying import Retrying
from stacks.machine.step import Step
from stacks.machine.tasks import Tasks


class CreateModel(Step):
    """Creates the model that endpoint and transform job use; a failed run leaves none."""

    name = "Create the model"
    tries = "model_tries"
    made_in = "model_made_in"

    def __init__(self, *, image: str, role: iam.IRole) -> None:
        """Serve with the image that trained: another version may misread the model."""
        self._image = image
        self._role = role

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """The model, repeated for transient reasons, and adopted where an answer was lost."""
        made_in = {self.made_in: "{% $states.context.Execution.RedriveCount %}"}
        model = tasks.creation(
            self.name,
            "Model",
            arguments={
                "ExecutionRoleArn": self._role.role_arn,
                "PrimaryContainer": {
                    "Image": self._image,
                    "ModelDataUrl": "{% $training.model_data %}",
                },
            },
            Assign=made_in,
        )
        retrying = Retrying(
            question="Create the model again?", wait="Wait to create the model", tries=self.tries
        )
        adopting = Adopting(noun="Model", assign=made_in)
        return retrying.around(model, tasks, failing, adopting=adopting)
