"""A failed execution in words: where, what, what to do about it, and where the logs are.

Pure: it reads what Step Functions reported and knows nothing of the services.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.cli import history
from local.cli.history import State

# botocore-like tails of AWS SDK integrations: "... (Service: SageMaker, Status Code: 400, ...)".
_SDK_TAIL = re.compile(r"\s*\((?:Service|Request ID): [^()]*\)\s*$")
# What holds the explanation, in the order in which it is looked for: a Lambda's error, a SageMaker
# job's description, an error of a nested execution, anything else that calls it a message.
_EXPLANATIONS = ("errorMessage", "FailureReason", "failureReason", "Cause", "cause", "message")
_JOB_NAMES = ("TrainingJobName", "TransformJobName", "ProcessingJobName")

_REMEDIES: tuple[tuple[str, str], ...] = (
    (
        "InvalidInputError",
        "Correct the fields named above in --input (`spine run --help` shows them all).",
    ),
    (
        "Source",
        "Check the address or file given as --source, and its member, label and positive class.",
    ),
    (
        "Checksum",
        "The file is not the expected one: correct source.sha256 in --input or leave it out.",
    ),
    (
        "Data",
        "Correct the data, or name its label column and positive class: see spine run --help.",
    ),
    ("Batch", "The batch output does not fit the test split; the transform job's log says why."),
    ("Endpoint", "See why the endpoint did not serve in the log below, then start the run again."),
    (
        "States.Timeout",
        "A step took longer than it may: look at what it did last in the log below.",
    ),
    (
        "States.TaskFailed",
        "The job itself failed: correct its hyperparameters or data, then start the run again.",
    ),
    (
        "SageMaker.",
        "SageMaker refused the request; the message names the field. Change it in --input.",
    ),
    (
        "States.Runtime",
        "The state machine is at fault: look at the state in stacks/workflow.py.",
    ),
    (
        "States.QueryEvaluationError",
        "The state machine is at fault: look at the state in stacks/workflow.py.",
    ),
    ("Runtime.ImportModuleError", "The function does not import: its package lacks a module."),
    ("Timeout", "Allow more with --timeout, or see below what took so long."),
    ("Sandbox.Timedout", "The function ran into its time-out; the log shows how far it came."),
)
_DEFAULT_REMEDY = "The log below has the details; `SPINE_DEBUG=1` shows more of the command's own."


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an execution did not succeed.

    Attributes:
        state: The state it began in, None when it failed before or outside any.
        error: The error name that Retry and Catch match.
        message: The cause in words.
        remedy: What the person can do.
        logs: The command that shows the logs that matter.
    """

    state: str | None
    error: str
    message: str
    remedy: str
    logs: str


def explain(
    *, execution: str, error: str | None, cause: str | None, states: Sequence[State]
) -> Failure:
    """Describe a failure from the execution's own error and cause and from the states that ran."""
    state = history.failing(states, error)
    name = error or (state.error if state else None) or "Unknown error"
    return Failure(
        state=state.name if state else None,
        error=name,
        message=readable(cause or (state.cause if state else None) or ""),
        remedy=remedy(name),
        logs=f"spine logs {(job_name(state) if state else None) or execution}",
    )


def remedy(error: str) -> str:
    """What helps against an error, by its name or the beginning of it."""
    return next((text for name, text in _REMEDIES if error.startswith(name)), _DEFAULT_REMEDY)


def readable(cause: str) -> str:
    """The sentence meant for people inside a cause, which is often a JSON document as text."""
    text = cause.strip()
    if text[:1] in {"{", "["}:
        try:
            found = next(_sentences(json.loads(text)), None)
        except ValueError:
            found = None
        if found is not None:
            return readable(found) if found != text else found
    return _SDK_TAIL.sub("", text) or "No cause was given."


def job_name(state: State) -> str | None:
    """The SageMaker job a state started, which has a log of its own."""
    return next((state.parameters[key] for key in _JOB_NAMES if key in state.parameters), None)


def _sentences(document: Any) -> Iterator[str]:
    if isinstance(document, Mapping):
        for key in _EXPLANATIONS:
            value = document.get(key)
            if isinstance(value, str) and value.strip():
                yield value
    elif isinstance(document, list):
        for item in document:
            yield from _sentences(item)
