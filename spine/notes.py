"""The few words beside a state that say what it did, from what its task answered. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from spine.history import State, Status


def note(state: State) -> str:
    """What a state did or waits for; "" when there is nothing worth saying."""
    words: list[str] = []
    if state.status in {Status.FAILED, Status.RETRYING} and state.error:
        words.append(state.error)
    if state.status is Status.RETRYING:
        words.append("may be tried again")
    elif state.status is Status.STOPPED:
        words.append("interrupted")
    elif state.status is Status.SUCCEEDED:
        words.append(_result(state))
    if state.visits > 1:
        words.append(f"{state.visits} times")
    elif state.attempts > 1:
        words.append(f"{state.attempts} attempts")
    return ", ".join(filter(None, words))


def _result(state: State) -> str:
    say = _SAY.get(state.name)
    result = state.result
    if say is None or not isinstance(result, Mapping):
        return ""
    payload = result.get("Payload", result)
    try:
        return say(payload)
    except (KeyError, TypeError, ValueError, AttributeError):
        return ""  # another version of the function answers otherwise; a note is no place to fail


def _plan(payload: Mapping[str, Any]) -> str:
    return str(payload["run"]["id"])


def _prepare(payload: Mapping[str, Any]) -> str:
    counts = payload["counts"]
    return f"{counts['train']:,} train, {counts['test']:,} test, {counts['validate']:,} validate"


def _train(payload: Mapping[str, Any]) -> str:
    metrics = {found["MetricName"]: found["Value"] for found in payload["FinalMetricDataList"]}
    name = next(name for name in (*_WANTED_METRICS, *metrics) if name in metrics)
    return f"{name.replace(':', ' ')} {metrics[name]:.4f}"


def _predict(payload: Mapping[str, Any]) -> str:
    return f"{payload['rows_sent']} rows"


def _evaluate(payload: Mapping[str, Any]) -> str:
    metrics = payload["metrics"]
    name = next(name for name in _MEASURED if name in metrics)
    return f"test {_MEASURED[name]} {metrics[name]:.4f}"


def _clean_up(payload: Mapping[str, Any]) -> str:
    # `endpoint_configs` are configs: the last word tells them from the others.
    counted = [
        f"{len(names)} {kind.rpartition('_')[2].removesuffix('' if len(names) > 1 else 's')}"
        for kind, names in payload["deleted"].items()
        if names
    ]
    return f"deleted {', '.join(counted)}" if counted else "nothing to delete"


# What a run's task is measured by, the first that there is.
_MEASURED = {"auc": "AUC", "f1_macro": "F1", "r2": "R²"}
_WANTED_METRICS = ("validation:auc", "validation:logloss", "validation:error")
_SAY: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "Plan the run": _plan,
    "Prepare the data": _prepare,
    "Train the model": _train,
    "Train on spot": _train,
    "Predict with the endpoint": _predict,
    "Evaluate": _evaluate,
    "Clean up": _clean_up,
    "Clean up after failure": _clean_up,
}
