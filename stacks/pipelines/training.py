"""A training file in; a trained, measured, served model out."""

from spine.shipped import load
from stacks.machine.branching import Branch, SideBySide
from stacks.machine.composition import Pipeline, Steps
from stacks.steps.clean_up import Cleaner, CleanUp
from stacks.steps.create_model import CreateModel
from stacks.steps.finish import Finish, UnlessFinished
from stacks.steps.gate import Gate, KeepEndpoint
from stacks.steps.plan import Plan
from stacks.steps.prepare import Prepare
from stacks.steps.serve import NOT_SERVED, Serve
from stacks.steps.train import Train
from stacks.steps.transform import NOT_MEASURED, Evaluate, Transform

_ARTIFACTS = (
    # Of Spark's shards, the folder.
    "{% ($spark := $plan.preparation.engine = 'spark'; $merge([{"
    "'train': $plan.places.train & ($spark ? '' : 'train.csv'),"
    "'test': $plan.places.test & 'test.csv',"
    "'validate': $plan.places.validate & ($spark ? '' : 'validate.csv'),"
    "'batch_input': $plan.places.batch_in & 'batch-in.csv',"
    "'data_profile': $prepared.profile,"
    "'model': $training.model_data,"
    "'manifest': $plan.places.manifest"
    "}, $plan.batch_transform.enabled"
    " ? {'batch_output': $plan.places.batch_out & 'batch-in.csv.out'} : {},"
    " $evaluation.artifacts])) %}"
)


def training(steps: Steps) -> Pipeline:
    """What is done with a training file, read downwards."""
    algorithm = load("algorithms").DEFAULT
    image = steps.stack.image_of(algorithm)
    role = steps.storage.sagemaker_role
    return Pipeline(
        comment="Spine: a training file in; a trained, measured, served model out",
        steps=(
            steps(Plan),
            steps(Prepare),
            Train(algorithm, image=image, role=role),
            CreateModel(image=image, role=role),
            UnlessFinished(),
            SideBySide(
                "Serve and score",
                "The endpoint and the batch transform, side by side; each may be off",
                Branch(
                    noun="Endpoint",
                    result="served",
                    wanted="{% $plan.endpoint.enabled %}",
                    steps=(steps(Serve),),
                    otherwise=NOT_SERVED,
                ),
                Branch(
                    noun="Batch",
                    result="evaluation",
                    wanted="{% $plan.batch_transform.enabled %}",
                    steps=(Transform(algorithm), steps(Evaluate)),
                    otherwise=NOT_MEASURED,
                    comment="Nothing was measured: only a gate that asks for nothing is passed",
                ),
            ),
            Gate(
                keep=KeepEndpoint(),
                clean_up=CleanUp(
                    steps(Cleaner),
                    comment="Deletes the endpoint; the model stays unless it failed the gate",
                    models="{% $evaluation.gate.passed = false %}",
                ),
            ),
            Finish(output={"artifacts": _ARTIFACTS}, result="$evaluation.gate.passed != false"),
        ),
        after_failure=steps(Cleaner).after_failure,
    )
