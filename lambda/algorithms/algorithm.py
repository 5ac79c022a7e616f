"""What the steps of a run ask of the algorithm that trains. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..common.problems import Problem, show
from ..common.tasks import Task
from .answers import Form
from .hyperparameters import PATH, Hyperparameters
from .objectives import Objective


@dataclass(frozen=True, kw_only=True)
class Image:
    """SageMaker's image of an algorithm, which trains and serves.

    Attributes:
        repository: Name of its ECR repository.
        framework: What the SageMaker SDK's registry data calls it.
        oldest: The first version whose container keeps the contract that a run relies on.
        default: The version of a deployment that does not say another.
        support_ends: The day on which AWS's support of a version ends, where it is known.
    """

    repository: str
    framework: str
    oldest: str
    default: str
    support_ends: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """An algorithm that a run can train, measure and serve.

    Attributes:
        name: Its key in the registry, and in the plan.
        title: What people call it.
        image: SageMaker's.
        hyperparameters: What the image takes.
        objectives: What it can be trained for, by the value of `objective_hyperparameter`; the
            first one of a task is the usual one.
        objective_hyperparameter: The hyperparameter that says what it is trained for.
        metric_hyperparameter: The one that says which metrics training watches, where there is one;
            it follows the objective unless it is given.
        classes_hyperparameter: The one that says how many classes a multiclass label has, where
            there is one; it follows from the data unless it is given.
        form: How its container writes answers.
        content_type: What its container reads, which the preparation must have written.
    """

    name: str
    title: str
    image: Image
    hyperparameters: Hyperparameters
    objectives: Mapping[str, Objective]
    objective_hyperparameter: str
    metric_hyperparameter: str | None = None
    classes_hyperparameter: str | None = None
    form: type[Form] = Form
    content_type: str = "text/csv"

    @property
    def version_setting(self) -> str:
        """The setting in `cdk.json` that says which version of the image a deployment uses."""
        return f"{self.name}_version"

    @property
    def version_variable(self) -> str:
        """The environment variable that tells the plan this version."""
        return self.version_setting.upper()

    def resolve(
        self, given: Mapping[str, object], *, version: str
    ) -> tuple[dict[str, str], list[Problem]]:
        """Check the given hyperparameters and complete them, as the strings SageMaker takes.

        Args:
            given: Names and values.
            version: Of the image that trains, such as "1.7-1".

        Returns:
            The hyperparameters by their canonical names, and what is wrong with the given ones; the
            first is of use only when there is nothing in the second.
        """
        values, problems = self.hyperparameters.merge(given, image=self.title)
        metric = self.objectives[self.objective_name(values)].default_metric
        if self.metric_hyperparameter is not None and metric is not None:
            values.setdefault(self.metric_hyperparameter, metric)
        if not problems:
            problems.extend(
                Problem(
                    f"{PATH}.{name}",
                    f"{show(values[name])} needs SageMaker's {self.title} image {needed} or a newer"
                    f" one, and this deployment trains with {version}",
                    f"Give another value or leave it out; or raise {self.version_setting} in"
                    " cdk.json and deploy again.",
                )
                for name, needed in self.hyperparameters.too_new(values, given, version=version)
            )
            problems.extend(self.hyperparameters.combinations(values))
        return values, problems

    def objective_name(self, hyperparameters: Mapping[str, str]) -> str:
        """Return the objective that these hyperparameters set."""
        return hyperparameters[self.objective_hyperparameter]

    def usual_objective(self, task: Task) -> str:
        """Return the objective that a task usually has."""
        return next(name for name, known in self.objectives.items() if known.task == task)

    def answer(self, objective: str, classes: int) -> Form:
        """Return what a model of this objective answers, with so many classes to tell apart."""
        return self.form(self.objectives[objective].output, classes)

    def following(self, task: Task, classes: int) -> dict[str, str]:
        """Return the hyperparameters that follow from the data: how many classes there are."""
        if task != "multiclass" or self.classes_hyperparameter is None:
            return {}
        return {self.classes_hyperparameter: str(classes)}
