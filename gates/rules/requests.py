"""What SageMaker and other services are asked for."""

import json
import re
from typing import Any

from gates.machine import Machine, action, is_expression, values, walk
from gates.rules.registry import SAGEMAKER_API, SECURITY_HUB, STEP_FUNCTIONS, Found, Rules

RULES = Rules()

_SERVICES = {"lambda", "sagemaker", "s3", "dynamodb"}
_TAGS = {"spine:stage", "spine:run", "spine:execution"}
# So many characters hold a run's name and its attempt (lambda/common/names.py).
_LONG_NAME = 63
# What together cannot repeat in one execution. A count alone can: those of a Parallel begin anew.
_ONLY_ONCE = ("State.EnteredTime", "Execution.RedriveTime", "State.RetryCount")


@RULES.rule(
    "training-isolation",
    why="A container with a network can send the training data anywhere",
    source=f"{SAGEMAKER_API}/API_CreateTrainingJob.html#sagemaker-CreateTrainingJob-request-EnableNetworkIsolation",
)
def _training_isolation(machine: Machine) -> Found:
    yield from _unset(machine, "network_isolation", "has a network", jobs=True)


@RULES.rule(
    "training-encryption",
    why="Instances of one job exchange the data in clear text otherwise",
    source=f"{SAGEMAKER_API}/API_CreateTrainingJob.html",
)
def _training_encryption(machine: Machine) -> Found:
    yield from _unset(
        machine, "traffic_encryption", "does not encrypt traffic between its instances", jobs=True
    )


@RULES.rule(
    "model-isolation",
    why="A served model sees every row it is asked about",
    source=SECURITY_HUB,
)
def _model_isolation(machine: Machine) -> Found:
    yield from _unset(machine, "network_isolation", "has a network", jobs=False)


def _unset(machine: Machine, column: str, problem: str, *, jobs: bool) -> Found:
    """The creations whose flag of this column is not on."""
    for name, request, kind in machine.creations():
        flag = getattr(kind, column)
        if flag and kind.is_job == jobs and values(request, flag) != [True]:
            yield name, problem


@RULES.rule(
    "kinds",
    why="What is not in the table of kinds is neither found nor removed after a run",
    source=f"{SAGEMAKER_API}/API_Operations_Amazon_SageMaker_Service.html",
)
def _kinds(machine: Machine) -> Found:
    known = {name for name, _, _ in machine.creations()}
    for name, task in machine.tasks().items():
        if action(task).startswith("create") and name not in known:
            yield name, f"{action(task)} makes what lambda/common/kinds.py does not know"


@RULES.rule(
    "tags",
    why="Without them nobody can tell whose a resource is, and the sweeper must leave it",
    source=SECURITY_HUB,
)
def _tags(machine: Machine) -> Found:
    for name, request, _ in machine.creations():
        given = {each["Key"] for each in request.get("Tags", [])}
        for missing in sorted(_TAGS - given):
            yield name, f"lacks the tag {missing}"


@RULES.rule(
    "unique-job-names",
    why="The name of a failed job stays taken: a retry or a redrive with it fails for ever",
    source=f"{SAGEMAKER_API}/API_CreateTrainingJob.html#sagemaker-CreateTrainingJob-request-TrainingJobName",
)
def _unique_jobs(machine: Machine) -> Found:
    for name, request, kind in machine.creations():
        if not kind.is_job:
            continue
        given = str(request.get(kind.name_member))
        for part in (_run_name(kind), *_ONLY_ONCE):
            if part not in given:
                yield name, f"the job's name does not hold {part}"


@RULES.rule(
    "run-names",
    why="The clean-up finds what a run made by the run's name",
    source=f"{SAGEMAKER_API}/API_CreateEndpoint.html",
)
def _run_names(machine: Machine) -> Found:
    for name, request, kind in machine.creations():
        if not kind.is_job and _run_name(kind) not in str(request.get(kind.name_member)):
            yield name, "is not named after the run"


def _run_name(kind: Any) -> str:
    """What the plan gives for the names of a kind."""
    return "$plan.run.name" if kind.longest_name >= _LONG_NAME else "$plan.run.short_name"


@RULES.rule(
    "stopping-condition",
    why="A job runs, and is paid for, up to a day by default",
    source=f"{SAGEMAKER_API}/API_StoppingCondition.html",
)
def _stopping(machine: Machine) -> Found:
    for name, request, kind in machine.creations():
        if kind.time_limits and not values(request, kind.time_limits[0]):
            yield name, "has no StoppingCondition"


@RULES.rule(
    "timeout-above-runtime",
    why="A task that gives up before its job stops pays for a job whose result nobody takes",
    source=f"{SAGEMAKER_API}/API_StoppingCondition.html",
)
def _timeout_above_runtime(machine: Machine) -> Found:
    for name, request, kind in machine.creations():
        timeout = machine.tasks()[name].get("TimeoutSeconds")
        limits = [limit for path in kind.time_limits for limit in values(request, path)]
        if timeout is not None and not all(_exceeds(timeout, limit) for limit in limits):
            yield name, "its timeout does not exceed the job's own limit"


def _exceeds(timeout: Any, limit: Any) -> bool:
    """Whether a number is above the limit, or an expression adds to what gives the limit."""
    if not is_expression(timeout):
        return isinstance(limit, int) and timeout > limit
    given = re.escape(str(limit).strip("{}% "))
    return bool(
        re.search(rf"(?<![\w.$]){given}(?![\w.])", timeout) and re.search(r"\+ [1-9]", timeout)
    )


@RULES.rule(
    "sync",
    why="A poll of our own misses what Step Functions does: stopping the job when the run stops",
    source=f"{STEP_FUNCTIONS}/connect-sagemaker.html",
)
def _sync(machine: Machine) -> Found:
    for name, _, kind in machine.creations():
        if kind.events_rule and not machine.tasks()[name]["Resource"].endswith(".sync"):
            yield name, "does not wait with .sync"


@RULES.rule(
    "own-image",
    why="Whoever may start a run could have SageMaker's role run a container of theirs",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/security-iam.html",
)
def _own_image(machine: Machine) -> Found:
    for name, request, kind in machine.creations():
        if kind.images and not all(map(_fixed, _images(request, kind) or [None])):
            yield name, "its image is not fixed by the template"


def _images(request: dict[str, Any], kind: Any) -> list[Any]:
    return [image for path in kind.images for image in values(request, path)]


def _fixed(image: object) -> bool:
    return isinstance(image, str) and not is_expression(image) and not image.endswith(":latest")


@RULES.rule(
    "one-image",
    why="A model loaded by another version of the library predicts wrong values silently",
    source="https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html",
)
def _one_image(machine: Machine) -> Found:
    trained = _trained(machine)
    for name, request, kind in machine.creations():
        if kind.is_job:
            continue
        for path in kind.images:
            folder, _, member = path.rpartition(".")
            for container in values(request, folder):
                if not isinstance(container, dict):
                    continue
                variable = re.match(r"\{% \$(\w+)", str(container.get("ModelDataUrl")))
                behind = trained.get(variable[1], set()) if variable else set()
                image = container.get(member)
                # One that the template does not fix is another rule's.
                if all(map(_fixed, {*behind, image})) and image not in behind:
                    yield name, "its image is not the one that trains its model"


def _trained(machine: Machine) -> dict[str, set[Any]]:
    """The images of the jobs that each variable is assigned by."""
    found: dict[str, set[Any]] = {}
    for name, request, kind in machine.creations():
        for variable in machine.tasks()[name].get("Assign", {}) if kind.is_job else ():
            found.setdefault(variable, set()).update(_images(request, kind))
    return found


@RULES.rule(
    "own-role",
    why="Whoever may start a run could have SageMaker act under a role of their choice",
    source="https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html",
)
def _own_role(machine: Machine) -> Found:
    for name, task in machine.tasks().items():
        for path, value in walk(task.get("Arguments", {})):
            if path.endswith("RoleArn") and (is_expression(value) or "*" in str(value)):
                yield name, f"{path} is not fixed by the template"


@RULES.rule(
    "own-functions",
    why="A function chosen at run time is a function somebody else chose",
    source=f"{STEP_FUNCTIONS}/connect-lambda.html",
)
def _own_functions(machine: Machine) -> Found:
    for name, task in machine.tasks().items():
        if ":::lambda:invoke" not in task["Resource"]:
            continue
        function = str(task["Arguments"].get("FunctionName"))
        if not re.fullmatch(r"arn:aws:lambda:[^:*{%]+:\d{12}:function:[\w.-]+(:[\w-]+)?", function):
            yield name, f"calls {function!r}"


@RULES.rule(
    "services",
    why="Each service the machine calls is one its role must be trusted with",
    source=f"{STEP_FUNCTIONS}/integrate-services.html",
)
def _services(machine: Machine) -> Found:
    for name, task in machine.tasks().items():
        match = re.fullmatch(r"arn:aws:states:::(?:aws-sdk:)?(\w+):\w+(\.sync)?", task["Resource"])
        if name not in machine.failing() and (not match or match[1] not in _SERVICES):
            yield name, f"calls {task['Resource']}"


@RULES.rule(
    "places",
    why="Data read or written outside the run's own folder is another run's, or another account's",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
)
def _places(machine: Machine) -> Found:
    for name, task in machine.tasks().items():
        for path, value in walk(task.get("Arguments", {})):
            if path.rpartition(".")[2] not in {"S3Uri", "S3OutputPath", "ModelDataUrl"}:
                continue
            # Code comes from where the template puts it.
            if not re.fullmatch(
                r"\{% \$(plan\.places\.\w+|training\.model_data) %\}|s3://[^{%]+/code/[0-9a-f]{64}/\w+\.zip",
                str(value),
            ):
                yield name, f"{path} is not one of the plan's places"


@RULES.rule(
    "by-reference",
    why="A payload over 256 KiB fails the run, and rows of data stay in the history",
    source=f"{STEP_FUNCTIONS}/sfn-best-practices.html#avoid-exec-failures",
)
def _by_reference(machine: Machine) -> Found:
    for name, state in machine.states().items():
        kept = {key: state[key] for key in ("Assign", "Output") if key in state}
        for path, value in walk(kept):
            if str(value).strip("{}% ") in {"$states.result", "$states.result.Body"}:
                yield name, f"{path} keeps a whole answer"


@RULES.rule(
    "input-read-once",
    why="What the plan has not checked must not be read by any later state",
    source="https://owasp.org/www-community/Injection_Flaws",
)
def _input_read_once(machine: Machine) -> Found:
    first = machine.definition.get("StartAt", "")
    plan = machine.definition["States"].get(first, {})
    if ":::lambda:invoke" not in str(plan.get("Resource")):
        yield first, "does not check the input"
    handed_on = json.dumps([plan.get("Output"), plan.get("Assign")])
    if "$states.input" in handed_on or "Execution.Input" in handed_on:
        yield first, "hands the unchecked input on"
    for name, state in machine.states().items():
        if name != first and "Execution.Input" in json.dumps(state):
            yield name, "reads the execution's input"


@RULES.rule(
    "kms-everywhere",
    why="One key for the data is no protection where one copy is left without it",
    source=SECURITY_HUB,
)
def _kms_everywhere(machine: Machine) -> Found:
    places = {
        (name, path): "".join(map(str, values(request, path)))
        for name, request, kind in machine.creations()
        for path in kind.kms_keys
        # What a request leaves out needs no key: a job that uploads nothing, a capture of no data.
        if "." not in path or values(request, path.rpartition(".")[0])
    }
    given = {key for key in places.values() if key}
    if not given:
        return
    for (name, path), key in places.items():
        if not key or len(given) > 1:
            yield name, f"{path} is not the key that the others use"


@RULES.rule(
    "vpc-everywhere",
    why="A model outside the network that its training is bound to leaves by the other door",
    source=SECURITY_HUB,
)
def _vpc_everywhere(machine: Machine) -> Found:
    bound = {
        name: json.dumps(values(request, kind.vpc), sort_keys=True)
        for name, request, kind in machine.creations()
        if kind.vpc
    }
    if len(set(bound.values())) > 1:
        for name, config in bound.items():
            if config == "[]":
                yield name, "is not in the VPC that the others are in"
