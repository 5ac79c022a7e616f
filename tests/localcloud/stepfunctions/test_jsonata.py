"""JSONata in states: values, Step Functions' functions, scoping, failures."""

import hashlib
import json
import re
import uuid
from typing import Any

import pytest

from tests.localcloud.stepfunctions.machines import Bench, evaluate, jsonata

ZULU = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
AWKWARD = {
    "quotes": "a \"b\" 'c' `d`",
    "backslash": "C:\\temp\\new \\u0041 \\",
    "lines": "one\ntwo\ttabs\r",
    "unicode": "é 漢 😀 \u2028",
    "expression": '{% $states.input %} ";$x:=1; (',
    "null": None,
    "numbers": [0, -1, 1.5, 1e21, 12345678901234567],
    "nested": {"": {"a b": [{"c": []}, {}]}, "$": "dollar"},
    "flags": [True, False],
}


def test_any_json_input_comes_back_unchanged(bench: Bench) -> None:
    """Quotes, backslashes, line ends, unicode, nulls and nesting survive an expression."""
    assert bench.run(evaluate("{% $states.input %}"), AWKWARD).output["value"] == AWKWARD


def test_variables_hold_any_json(bench: Bench) -> None:
    """A variable gives back what was assigned, and the history shows it as JSON."""
    definition = jsonata(
        "A",
        A={"Type": "Pass", "Assign": {"kept": "{% $states.input %}"}, "Next": "B"},
        B={"Type": "Pass", "Output": "{% $kept %}", "End": True},
    )
    outcome = bench.run(definition, AWKWARD)
    assert outcome.output == AWKWARD
    exited = next(event for event in outcome.events if event["type"] == "PassStateExited")
    assigned = exited["stateExitedEventDetails"]["assignedVariables"]
    assert json.loads(assigned["kept"]) == AWKWARD


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$partition([1, 2, 3, 4, 5], 2)", [[1, 2], [3, 4], [5]]),
        ("$range(1, 9, 4)", [1, 5, 9]),
        ("$range(3, 1, -1)", [3, 2, 1]),
        ("$parse('{\"a\": [1, null]}')", {"a": [1, None]}),
        ("$hash('é', 'SHA-256')", hashlib.sha256("é".encode()).hexdigest()),
        ("$hash('x', 'MD5')", "9dd4e461268c8034f5c8564e155c67a6"),
        ("$string({'a': 'é'})", '{"a":"é"}'),
        ("$sum($states.input.numbers[$ > 0].($ * 2))", 12),
        ("$map([1..3], function($v) { $v * $v })", [1, 4, 9]),
        ("$merge([{'a': 1}, {'b': null}])", {"a": 1, "b": None}),
        ("$states.input.missing ? 'there' : 'gone'", "gone"),
        ("$exists($states.input.nothing)", True),
        ("6 / 2", 3),
    ],
)
def test_functions_give_what_step_functions_gives(
    bench: Bench, expression: str, expected: Any
) -> None:
    """The functions Step Functions adds, and those of JSONata it is used with."""
    given = {"numbers": [1, 2, 3, -4], "nothing": None}
    assert bench.run(evaluate("{% " + expression + " %}"), given).output["value"] == expected


def test_uuid_and_random(bench: Bench) -> None:
    """$uuid gives a fresh UUID 4; $random is within [0, 1) and repeats for the same seed."""
    expression = "{% [$uuid(), $uuid(), $random(), $random(7), $random(7)] %}"
    first, second, number, *seeded = bench.run(evaluate(expression)).output["value"]
    assert uuid.UUID(first).version == 4
    assert first != second
    assert 0 <= number < 1
    assert seeded[0] == seeded[1]


def test_context_object(bench: Bench) -> None:
    """$states.context has the execution, the state and the machine, times in UTC ending in Z."""
    execution = bench.start(evaluate("{% $states.context %}"), {"given": 1})
    context = bench.finish(execution).output["value"]
    assert context["Execution"]["Id"] == execution
    assert context["Execution"]["Name"] == execution.split(":")[-1]
    assert context["Execution"]["Input"] == {"given": 1}
    assert context["Execution"]["RedriveCount"] == 0
    assert context["State"]["Name"] == "A"
    assert "RetryCount" not in context["State"]  # of a Pass: it is of tasks
    assert ZULU.match(context["Execution"]["StartTime"])
    assert ZULU.match(context["State"]["EnteredTime"])
    assert context["StateMachine"]["Id"].endswith(context["StateMachine"]["Name"])


def test_assign_uses_the_values_from_before(bench: Bench) -> None:
    """All expressions of one Assign see the variables as they were."""
    definition = jsonata(
        "A",
        A={"Type": "Pass", "Assign": {"x": 1, "y": 2}, "Next": "B"},
        B={"Type": "Pass", "Assign": {"x": "{% $y %}", "y": "{% $x %}"}, "Next": "C"},
        C={"Type": "Pass", "Output": "{% [$x, $y] %}", "End": True},
    )
    assert bench.run(definition).output == [2, 1]


def test_branches_read_outer_variables_and_keep_their_own(bench: Bench) -> None:
    """A Parallel's branches see the variables around it; theirs end with them."""
    inner = {
        "StartAt": "In",
        "States": {
            "In": {"Type": "Pass", "Assign": {"own": "{% $outer & '!' %}"}, "Next": "Out"},
            "Out": {"Type": "Pass", "Output": "{% $own %}", "End": True},
        },
    }
    definition = jsonata(
        "A",
        A={"Type": "Pass", "Assign": {"outer": "seen"}, "Next": "P"},
        P={"Type": "Parallel", "Branches": [inner, inner], "Next": "Z"},
        Z={
            "Type": "Pass",
            "Output": {"results": "{% $states.input %}", "own": "{% $exists($own) %}"},
            "End": True,
        },
    )
    outcome = bench.run(definition)
    assert outcome.output == {"results": ["seen!", "seen!"], "own": False}


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("$states.input.missing", "undefined"),
        ("$number('x')", "threw an error"),
        ("function($x) { $x }", "unsupported"),
        ("$eval('1')", "$parse"),
        ("$error('deliberate')", "deliberate"),
        ("$unknown()", "threw an error"),
    ],
)
def test_a_failing_expression_is_a_query_evaluation_error(
    bench: Bench, expression: str, said: str
) -> None:
    """The error names the expression and state, and the history records it once."""
    outcome = bench.run(evaluate("{% " + expression + " %}"))
    assert outcome.status == "FAILED"
    assert outcome.error == "States.QueryEvaluationError"
    assert outcome.cause is not None
    assert said in outcome.cause
    assert "executing the state 'A'" in outcome.cause
    assert outcome.types.count("EvaluationFailed") == 1


def test_a_failing_argument_can_be_caught(bench: Bench) -> None:
    """Catch sees States.QueryEvaluationError of a task's arguments, recorded once."""
    definition = jsonata(
        "A",
        A=bench.task(
            "{% $states.input.missing %}",
            Catch=[
                {
                    "ErrorEquals": ["States.QueryEvaluationError"],
                    "Output": "{% $states.errorOutput.Error %}",
                    "Next": "B",
                }
            ],
        ),
        B={"Type": "Pass", "End": True},
    )
    outcome = bench.run(definition)
    assert outcome.output == "States.QueryEvaluationError"
    assert outcome.types.count("EvaluationFailed") == 1


def test_choice_with_conditions(bench: Bench) -> None:
    """The first condition that holds decides, with its own Assign and Output."""
    definition = jsonata(
        "C",
        C={
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.n > 5 %}", "Next": "Big"},
                {"Condition": "{% $states.input.n > 0 %}", "Assign": {"t": "s"}, "Next": "Small"},
            ],
            "Default": "None",
        },
        Big={"Type": "Succeed", "Output": "big"},
        Small={"Type": "Succeed", "Output": "{% $t %}"},
        None_={"Type": "Fail"},
    )
    definition["States"]["None"] = definition["States"].pop("None ")
    assert bench.run(definition, {"n": 6}).output == "big"
    assert bench.run(definition, {"n": 1}).output == "s"
    assert bench.run(definition, {"n": 0}).status == "FAILED"


def test_choice_without_match(bench: Bench) -> None:
    """No choice and no default is States.NoChoiceMatched."""
    definition = jsonata(
        "C",
        C={"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "S"}]},
        S={"Type": "Succeed"},
    )
    outcome = bench.run(definition)
    assert (outcome.status, outcome.error) == ("FAILED", "States.NoChoiceMatched")
