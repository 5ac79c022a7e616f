"""Definitions mean what they say where moto's grammar reads them otherwise."""

import json
from typing import Any

import pytest

from tests.localcloud.stepfunctions.machines import Bench

# A quote, a backslash, a line's end, a slash that JSON may escape, and characters beyond ASCII.
_TEXTS = ['say "no"', "C:\\new\\table", "two\nlines", "a/b", "\u00e9\U0001f600", "\\u0041", "'"]


@pytest.mark.parametrize("text", _TEXTS)
@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
def test_literal_texts_are_taken_as_they_are(bench: Bench, language: str, text: str) -> None:
    """In Assign, as values and as members' names, in a result and in an error."""
    jsonata = language == "JSONata"
    read = {"v": "{% $kept %}"} if jsonata else {"v.$": "$kept"}
    definition: dict[str, Any] = {
        "QueryLanguage": language,
        "StartAt": "A",
        "States": {
            "A": {
                "Type": "Pass",
                "Assign": {"kept": {"text": text, "list": [text], text: {"in": text}}},
                "Next": "B",
            },
            "B": {"Type": "Pass", "Output" if jsonata else "Parameters": read, "Next": "C"},
            "C": {"Type": "Fail", "Error": text, "Cause": text},
        },
    }
    outcome = bench.run(definition)
    expected = {"text": text, "list": [text], text: {"in": text}}
    assert (outcome.error, outcome.cause) == (text, text)
    entered = [e for e in outcome.events if e["type"] == "FailStateEntered"]
    assert json.loads(entered[0]["stateEnteredEventDetails"]["input"]) == {"v": expected}


def test_a_states_name_may_hold_a_quote(bench: Bench) -> None:
    """Where it is declared and where it is led to."""
    name = 'Is it "fine"?'
    states = {
        "A": {"Type": "Pass", "Next": name},
        name: {"Type": "Pass", "Result": "yes", "End": True},
    }
    outcome = bench.run({"StartAt": "A", "States": states})
    assert (outcome.status, outcome.output) == ("SUCCEEDED", "yes")
