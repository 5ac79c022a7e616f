"""A failed execution in words: where, what, what to do about it, and where the logs are.

Pure: it reads what Step Functions reported and knows nothing of the services.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spine import history
from spine.history import State
from spine.shipped import load

# botocore-like tails of AWS SDK integrations: "... (Service: SageMaker, Status Code: 400, ...)".
_SDK_TAIL = re.compile(r"\s*\((?:Service|Request ID): [^()]*\)\s*$")
# What holds the explanation, in the order in which it is looked for: a Lambda's error, a SageMaker
# job's description, an error of a nested execution, anything else that calls it a message.
_EXPLANATIONS = ("errorMessage", "FailureReason", "failureReason", "Cause", "cause", "message")

_INPUT = "Correct what is named above in --input (all fields: spine run --help), then run again."
_SOURCE = "Correct the source or how --input describes it (source.label, source.positive, ...)."
_MACHINE = "The state machine itself is at fault: look for this state in stacks/steps."

# What the local cloud's gateway says in SageMaker's place once its process has ended.
_GONE = "The local SageMaker process does not answer"
_ENDED = "See why: spine logs sagemaker. Start afresh: spine down && spine run"

# What helps against an error, by the beginning of its name. Longer names stand before shorter ones.
_BY_ERROR: Mapping[str, str] = {
    "InvalidInputError": _INPUT,
    "SourceUnreachableError": "Try again, or download the file yourself: spine run --source FILE",
    "Source": "Check the address given as --source, or give a file: spine run --source FILE",
    "ChecksumError": "The file is not the one expected: correct or leave out source.sha256.",
    "EndpointFailedError": "The log below says why the model does not serve.",
    "EndpointBusyError": "It is deleted by the sweeper within 15 minutes: spine status shows it.",
    "Timeout": "Allow more with --timeout, or see below what took so long.",
    "Interrupted": "What it made is cleaned up. Start again: spine run",
    "Runtime.ImportModuleError": "The function's package lacks a module: see stacks/bundling.py.",
    "Sandbox.Timedout": "The function ran into its time limit; the log shows how far it came.",
    "States.Timeout": "It took longer than it may; the log shows what it did last.",
    "States.Runtime": _MACHINE,
    "States.QueryEvaluationError": _MACHINE,
    "SageMaker.": "SageMaker refused the request; the cause names what to change in --input.",
}
_TRAINING = "Correct training in --input, or the data; the job's log has the details."
# What helps in general where an error of no special name began.
_BY_STATE: Mapping[str, str] = {
    "Plan the run": _INPUT,
    "Prepare the data": _SOURCE,
    "Prepare on an instance": _SOURCE,
    "Prepare with Spark": _SOURCE,
    "Train the model": _TRAINING,
    "Train on spot": _TRAINING,
    "Transform the batch": "The job's log says which rows the model did not take.",
}
_DEFAULT_REMEDY = "The log below has the details."


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
    state = history.failing(states, error) or history.interrupted(states)
    name = error or (state.error if state else None) or "Unknown error"
    return Failure(
        state=state.name if state else None,
        error=name,
        message=readable(cause or (state.cause if state else None) or ""),
        remedy=_ENDED if _GONE in (cause or "") else remedy(name, state.name if state else None),
        logs=f"spine logs {(job_name(state) if state else None) or execution}",
    )


def remedy(error: str, state: str | None) -> str:
    """What helps against an error, by the beginning of its name or else by where it began."""
    by_error = (text for name, text in _BY_ERROR.items() if error.startswith(name))
    return next(by_error, _BY_STATE.get(state or "", _DEFAULT_REMEDY))


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
    members = (kind.name_member for kind in load("common.kinds").jobs())
    return next((state.parameters[each] for each in members if each in state.parameters), None)


def _sentences(document: Any) -> Iterator[str]:
    if isinstance(document, Mapping):
        for key in _EXPLANATIONS:
            value = document.get(key)
            if isinstance(value, str) and value.strip():
                yield value
    elif isinstance(document, list):
        for item in document:
            yield from _sentences(item)
