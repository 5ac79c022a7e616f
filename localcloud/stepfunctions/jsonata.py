"""JSONata in state machines, evaluated by jsonata-python.

moto ships LocalStack's interpreter without its JSONata engine, and would paste the values of
`$states` and of variables into the expression's text, where a quote breaks it. Here an expression
is evaluated as written, with its values bound beside it, and Step Functions' own functions
(https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html) added.
"""

import hashlib
import json
import math
import random
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import jsonata
from jsonata.utils import Utils
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager

from localcloud import hooks

_STRINGS = "moto.stepfunctions.parser.asl.component.common.string.string_expression"
_STORE = "moto.stepfunctions.parser.asl.eval.variable_store:VariableStore"

_HASHES = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}


# From here on JavaScript writes a number with an exponent.
_LARGEST_WRITTEN_OUT = 1e21


class EvaluationError(Exception):
    """An expression that cannot be evaluated, or whose result is no JSON value."""


class _Recorded(dict[str, Any]):
    """Details of an EvaluationFailed event that is in the history already."""


@hooks.uses(
    "jsonata:Jsonata.set_output_convert_nulls",
    reason="tells null from nothing in a result",
    parameters=("self", "output_convert_nulls"),
)
def evaluate(expression: str, bindings: dict[str, Any]) -> Any:
    """Evaluate an expression.

    Args:
        expression: JSONata, without its `{% %}`.
        bindings: JSON values by variable name, without the `$`.

    Returns:
        A JSON value: dict, list, str, int, float, bool or None, shared with no binding.

    Raises:
        EvaluationError: The expression fails, returns nothing, or returns a function or regex.
    """
    try:
        program = jsonata.Jsonata(expression)
        program.set_output_convert_nulls(False)
        # Nothing is bound as the document: at the top level `$` and `$$` are not allowed on AWS.
        bound = {name: _in(value) for name, value in bindings.items()}
        result = program.evaluate(None, _FUNCTIONS | bound)
    except Exception as error:
        raise EvaluationError(f"threw an error during evaluation: {error}") from error
    if result is None:
        raise EvaluationError("returned nothing (undefined).")
    return _out(result)


def syntax_error(expression: str) -> str | None:
    """What keeps an expression from being parsed, or None."""
    try:
        jsonata.Jsonata(expression)
    except Exception as error:  # noqa: BLE001 - the parser raises whatever it trips over
        return str(error)
    return None


def _in(value: Any) -> Any:
    """A copy of a JSON value with null as the engine writes it; it changes values in place."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {key: _in(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_in(item) for item in value]
    return value


def _out(value: Any) -> Any:
    """A copy of the engine's result as plain JSON, whole numbers as integers."""
    if value is Utils.NULL_VALUE or value is None:
        return None
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {key: _out(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_out(item) for item in value]
    raise EvaluationError("returned an unsupported result type.")


@hooks.uses(f"{_STORE}.set", reason="the variables bound in an expression")
@hooks.replaces(
    f"{_STRINGS}:StringJSONata._eval_body",
    f"{_STRINGS}:StringVariableSample._eval_body",  # the same in JSONPath states
    reason="no JSONata engine; values pasted into the expression's text",
)
def _evaluate_in_state(self: Any, env: Environment) -> None:
    """Evaluate a state's expression with `$states` and the variables in scope."""
    variables = env.variable_store
    bindings = {**variables._outer_scope, **variables._inner_scope}
    bindings["states"] = {
        name: value
        for name, value in env.states._states_data.items()
        # Neither exists before there is a result or an error.
        if name not in {"result", "errorOutput"} or value is not None
    }
    try:
        env.stack.append(evaluate(self.expression, bindings))
    except EvaluationError as error:
        raise _evaluation_failed(env, self.expression, str(error)) from error


def _evaluation_failed(env: Environment, expression: str, problem: str) -> FailureEventException:
    """Record that an expression failed, and make the error that Retry and Catch see."""
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    cause = f"The JSONata expression '{expression}' {problem}"
    details: Any = {"evaluationFailedEventDetails": {"error": name.error_name, "cause": cause}}
    error = FailureEventException(
        FailureEvent(
            env=env,
            error_name=name,
            event_type=HistoryEventType.EvaluationFailed,
            event_details=details,
        )
    )
    recorded: Any = {"evaluationFailedEventDetails": error.get_evaluation_failed_event_details()}
    env.event_manager.add_event(
        context=env.event_history_context,
        event_type=HistoryEventType.EvaluationFailed,
        event_details=recorded,
    )
    details["evaluationFailedEventDetails"] = _Recorded(details["evaluationFailedEventDetails"])
    return error


@hooks.around(
    "moto.stepfunctions.parser.asl.eval.event.event_manager:EventManager.add_event",
    reason="would record an EvaluationFailed event twice",
)
def _once(
    add_event: Callable[..., int],
    self: EventManager,
    context: Any,
    event_type: Any,
    event_details: Any = None,
    timestamp: Any = None,
    update_source_event_id: bool = True,
) -> int:
    """Leave out the event of an evaluation failure that is in the history already."""
    details = (event_details or {}).get("evaluationFailedEventDetails")
    if isinstance(details, _Recorded):
        identifier: int = context.last_published_event_id
        return identifier
    return add_event(self, context, event_type, event_details, timestamp, update_source_event_id)


@hooks.replaces(
    f"{_STORE}.get_assigned_variables", reason="writes strings unescaped into the history"
)
def _assigned_variables(self: Any) -> dict[str, str]:
    """The variables a state assigned, as JSON texts."""
    return {
        name: json.dumps(self.get(name), separators=(",", ":"))
        for name in sorted(self._declaration_tracing)
    }


@hooks.edits(
    "jsonata.functions:Functions.Encoder",
    reason="$string writes every character beyond ASCII as an escape, and numbers otherwise",
)
def _as_the_reference_writes(original: type) -> type:
    class Encoder(original):  # type: ignore[misc]  # the library has no types
        def __init__(self, **options: Any) -> None:
            super().__init__(**(options | {"ensure_ascii": False}))

        def encode(self, value: Any) -> Any:
            return json.JSONEncoder.encode(self, _rounded(value))

    return Encoder


def _rounded(value: Any) -> Any:
    """A value whose numbers have 15 digits, as JavaScript writes them."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    rounded = float(f"{value:.15g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < _LARGEST_WRITTEN_OUT else rounded


@hooks.around(
    "jsonata:Jsonata.evaluate_numeric_expression", reason="cuts a remainder to a whole number"
)
def _numeric(compute: Callable[..., Any], self: Any, lhs: Any, rhs: Any, op: str) -> Any:
    """`5.5 % 2` is 1.5."""
    result = compute(self, lhs, rhs, op)
    if op == "%" and result is not None:
        return Utils.convert_number(math.fmod(lhs, rhs))
    return result


@hooks.replaces(
    "jsonata.parser:Parser.InfixCoalesce.led",
    "jsonata.parser:Parser.InfixDefault.led",
    reason="operators of JSONata 2.1; Step Functions has 2.0.6",
)
def _refused_operator(self: Any, left: Any) -> Any:
    """Refuse `??` and `?:`, which AWS's parser does not know."""
    del left
    raise jsonata.JException("S0211", self.position, self.id)


def _count(array: Any) -> int:
    """`$count(array)`: 0 of nothing, 1 of any single value, null included."""
    if array is None:
        return 0
    return len(array) if isinstance(array, list) else 1


def _distinct(array: Any) -> Any:
    """`$distinct(array)`: an array of an array, a sequence of a sequence."""
    found = jsonata.Functions.distinct(array)
    is_sequence = not isinstance(array, Utils.JList) or array.sequence
    return found if is_sequence or not isinstance(found, list) else list(found)


def _partition(array: Sequence[Any], size: int) -> list[list[Any]]:
    """`$partition(array, size)`: pieces of at most `size` values."""
    if not isinstance(array, list) or size < 1:
        raise ValueError("$partition takes an array and a size of at least 1")
    return [list(array[at : at + int(size)]) for at in range(0, len(array), int(size))]


def _range(first: float, last: float, step: float) -> Any:
    """`$range(first, last, step)`: from first to last, both included."""
    if step == 0:
        raise ValueError("$range takes a step other than 0")
    values = []
    value = first
    while value <= last if step > 0 else value >= last:
        values.append(value)
        value += step
    # A sequence, as an expression's own results are: one value stands for itself.
    return Utils.create_sequence_from_iter(values)


def _hash(text: str, algorithm: str) -> str:
    """`$hash(text, algorithm)`: hexadecimal digest of the UTF-8 text."""
    if not isinstance(text, str) or algorithm not in _HASHES:
        raise ValueError(f"$hash takes a string and one of {', '.join(_HASHES)}")
    return hashlib.new(_HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def _random(seed: Any = None) -> float:
    """`$random([seed])`: from 0 up to 1; the same seed gives the same number."""
    return random.Random(seed).random()  # noqa: S311 - not for secrets


def _parse(text: str) -> Any:
    """`$parse(text)`: the JSON value that a string holds."""
    return _in(json.loads(text))


def _refused_eval(*_: Any) -> Any:
    raise ValueError("$eval is not supported by Step Functions; use $parse")


_FUNCTIONS: dict[str, Any] = {
    name: jsonata.Jsonata.JLambda(function)
    for name, function in {
        # Instead of the library's own, which count null as nothing and unwrap a literal array.
        "count": _count,
        "distinct": _distinct,
        "partition": _partition,
        "range": _range,
        "hash": _hash,
        "random": _random,
        "uuid": lambda: str(uuid.uuid4()),
        "parse": _parse,
        "eval": _refused_eval,
    }.items()
}
