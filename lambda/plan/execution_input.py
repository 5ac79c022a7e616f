"""The execution input: checked as a whole, completed, or refused with every reason. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from .. import algorithms
from ..algorithms.algorithm import Algorithm
from ..common.problems import Problem, show
from ..common.tasks import Task, gated
from .explanations import explain, kind_of, unknown
from .refusal import refuse
from .rules import Rules
from .sections import (
    SECTIONS,
    BatchTransform,
    Endpoint,
    Evaluation,
    Maximum,
    Minimum,
    Sections,
    Source,
)


@dataclass(frozen=True, kw_only=True)
class ExecutionInput(Sections):
    """Everything the person running it may give, checked and completed."""

    algorithm: Algorithm
    hyperparameters: Mapping[str, str]

    @property
    def task(self) -> Task:
        """What the label is for."""
        name = self.algorithm.objective_name(self.hyperparameters)
        return self.algorithm.objectives[name].task


# The whole plan travels through every state; the largest sensible input is far below this.
_MOST_BYTES = 16_384
_DEEPEST = 6


def parse(
    given: object, rules: Rules, *, pipeline: str = "", algorithm: Algorithm = algorithms.DEFAULT
) -> ExecutionInput:
    """Check an execution input and fill in its defaults.

    Args:
        given: The input as it came.
        rules: What this deployment allows.
        pipeline: The label of the one that is to run.
        algorithm: The one that is to train.

    Raises:
        InvalidInputError: Something in it cannot be run; the message lists every problem.
    """
    if not isinstance(given, dict):
        raise refuse(
            [Problem("input", f"{show(given)} is {kind_of(given)}", "Give an object: {}.")]
        )
    _refuse_bulk(given)
    problems = [
        unknown(name, value, siblings=SECTIONS)
        for name, value in given.items()
        if name not in SECTIONS
    ]
    problems.extend(_of_other_pipelines(given, pipeline))
    checked: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        try:
            checked[name] = section.model_validate(given.get(name, {}), context=rules)
        except ValidationError as error:
            problems.extend(
                explain(name, section, detail) for detail in error.errors(include_url=False)
            )
        if name == "training":
            strings, wrong = algorithm.resolve(
                _given_hyperparameters(given), version=rules.versions[algorithm.name]
            )
            problems.extend(wrong)
    if {"source", "evaluation"} <= checked.keys() and not wrong:
        objective = algorithm.objective_name(strings)
        problems.extend(_unsuited(algorithm, objective, checked["source"], checked["evaluation"]))
        task = algorithm.objectives[objective].task
        checked["evaluation"] = _suited(task, checked["evaluation"])
    if {"endpoint", "batch_transform", "evaluation"} <= checked.keys():
        problems.extend(_keeping(**checked))
    if problems:
        raise refuse(problems)
    return ExecutionInput(**checked, algorithm=algorithm, hyperparameters=strings)


def _of_other_pipelines(given: Mapping[str, Any], pipeline: str) -> Iterator[Problem]:
    for name, section in SECTIONS.items():
        if name in given and section.pipelines is not None and pipeline not in section.pipelines:
            reading = " or ".join(sorted(label or "training" for label in section.pipelines))
            yield Problem(
                name,
                f"{show(given[name])} means nothing to this state machine",
                f"Leave it out, or start the one of the pipeline {reading}.",
            )


def _given_hyperparameters(given: Mapping[str, Any]) -> dict[str, Any]:
    training = given.get("training")
    values = training.get("hyperparameters") if isinstance(training, dict) else None
    return values if isinstance(values, dict) else {}


def _keeping(
    *, endpoint: Endpoint, batch_transform: BatchTransform, evaluation: Evaluation, **_: object
) -> Iterator[Problem]:
    if not endpoint.keep:
        return
    if not endpoint.enabled:
        yield Problem(
            "endpoint.keep",
            "true is not possible without an endpoint",
            "Set endpoint.enabled to true, or endpoint.keep to false.",
        )
    for bound, asked in evaluation.asked().items():
        if not batch_transform.enabled and asked:
            yield Problem(
                "endpoint.keep",
                f"true is to be granted by evaluation.{bound}, {show(asked)}, but nothing is"
                " measured while batch_transform.enabled is false",
                f"Set batch_transform.enabled to true, or evaluation.{bound} to {{}}.",
            )


def _unsuited(
    algorithm: Algorithm, objective: str, source: Source, evaluation: Evaluation
) -> Iterator[Problem]:
    """Yield what is given of the label and the metrics and means nothing to the objective."""
    with_objective = f'with the {algorithm.objective_hyperparameter} "{objective}"'
    known = algorithm.objectives[objective]
    least, most = gated(known.task, probabilities=known.tells_probabilities)
    for bound, names in (("minimum", least), ("maximum", most)):
        section: Minimum | Maximum = getattr(evaluation, bound)
        for name, value in section.model_dump(exclude_none=True).items():
            if name not in names and bound in evaluation.model_fields_set:
                yield Problem(
                    f"evaluation.{bound}.{name}",
                    f"{show(value)} is asked of a metric that is not measured {with_objective}",
                    f"There, evaluation.minimum takes {', '.join(least)}"
                    f" and evaluation.maximum {', '.join(most) or 'none'}.",
                )
    if known.task == "binary":
        return
    for path, section_given, field, value in (
        ("source.positive", source, "positive", source.positive),
        ("source.rest", source, "rest", source.rest),
        ("evaluation.threshold", evaluation, "threshold", evaluation.threshold),
    ):
        # What is false is not asked for.
        if field in section_given.model_fields_set and value is not False:
            yield Problem(
                path,
                f"{show(value)} tells two classes apart, which is not done {with_objective}",
                f"Leave it out, or set the {algorithm.objective_hyperparameter} to"
                f" {algorithm.usual_objective('binary')}.",
            )


def _suited(task: Task, evaluation: Evaluation) -> Evaluation:
    """Take back the default minimum where its metric is not measured."""
    if task == "binary" or "minimum" in evaluation.model_fields_set:
        return evaluation
    return evaluation.model_copy(update={"minimum": Minimum()})


def _refuse_bulk(given: dict[str, Any]) -> None:
    layer: list[Any] = [given]
    for _ in range(_DEEPEST):
        layer = [
            inner
            for value in layer
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    if layer:
        raise refuse(
            [
                Problem(
                    "input",
                    f"the object is nested deeper than {_DEEPEST} levels",
                    "No field needs more than four.",
                )
            ]
        )
    size = len(json.dumps(given, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > _MOST_BYTES:
        raise refuse(
            [
                Problem(
                    "input",
                    f"the object has {size} bytes, more than {_MOST_BYTES}",
                    "Put data in a file and name it in source.uri.",
                )
            ]
        )
