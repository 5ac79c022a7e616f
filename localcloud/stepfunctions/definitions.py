"""Definitions as moto's grammar can read them, and what it cannot beside them.

The grammar refuses a literal whole `ToleratedFailurePercentage`, `EXPRESS` children, `ItemBatcher`
and half of what readers and writers of a Distributed Map take, and hands a string's text on with
its escapes. A definition is rewritten before it is parsed; what the grammar does not know of a Map
is kept on the parsed state, as `options`.
"""

import ast
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.state_parallel import (
    StateParallel,
)

from localcloud import hooks

_PARSE = "moto.stepfunctions.parser.asl.parse"

# https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
_PATHS = (
    ASLParser.String_jsonpathContext,
    ASLParser.String_context_pathContext,
    ASLParser.String_variable_sampleContext,
)
_READ_BY_MOTO = {"CSV", "JSON"}
_INPUT_TYPES = {"CSV", "JSON", "JSONL", "MANIFEST", "PARQUET"}
_READER_ONLY = ("CSVDelimiter", "ItemsPointer", "Transformation", "ManifestType")


@hooks.around(
    f"{_PARSE}.asl_parser:AmazonStateLanguageParser.parse",
    reason="does not know all fields of a Distributed Map",
)
def _parsed(parse: Callable[..., Any], definition: str) -> Any:
    """Parse what the grammar knows, and keep the rest with the states it belongs to."""
    try:
        machine = json.loads(definition)
    except ValueError:
        return parse(definition)  # whose message tells what is wrong
    options: dict[str, dict[str, Any]] = {}
    known = _known(machine, options)
    program, tree = parse(json.dumps(known, ensure_ascii=False))
    for state in _maps(program):
        hooks.put(state, "options", options.get(state.name, {}))
    return program, tree


def _known(machine: Any, options: dict[str, dict[str, Any]]) -> Any:
    """A machine without the fields that the grammar does not know, which go into `options`."""
    if not isinstance(machine, dict) or not isinstance(machine.get("States"), dict):
        return machine
    states = {}
    for name, given in machine["States"].items():
        if not isinstance(given, dict):
            states[name] = given
            continue
        state = dict(given)
        if state.get("Type") == "Map":
            options[name] = _map_options(state)
        for field in ("ItemProcessor", "Iterator"):
            if field in state:
                state[field] = _known(state[field], options)
        if isinstance(state.get("Branches"), list):
            state["Branches"] = [_known(each, options) for each in state["Branches"]]
        states[name] = state
    return machine | {"States": states}


def _map_options(state: dict[str, Any]) -> dict[str, Any]:
    """Take what the grammar does not know out of a Map; tell all of its options."""
    options = copy.deepcopy(state)
    state.pop("ItemBatcher", None)
    percentage = state.get("ToleratedFailurePercentage")
    if isinstance(percentage, int) and not isinstance(percentage, bool):
        state["ToleratedFailurePercentage"] = float(percentage)
    for field in ("ItemProcessor", "Iterator"):
        processor = state.get(field)
        if not isinstance(processor, dict):
            continue
        config = processor.get("ProcessorConfig")
        if isinstance(config, dict) and config.get("ExecutionType") == "EXPRESS":
            config = config | {"ExecutionType": "STANDARD"}
            state[field] = processor | {"ProcessorConfig": config}
    writer = state.get("ResultWriter")
    if isinstance(writer, dict) and "WriterConfig" in writer:
        state["ResultWriter"] = {k: v for k, v in writer.items() if k != "WriterConfig"}
        if not state["ResultWriter"]:
            state.pop("ResultWriter")
    reader = state.get("ItemReader")
    if isinstance(reader, dict) and isinstance(reader.get("ReaderConfig"), dict):
        config = {k: v for k, v in reader["ReaderConfig"].items() if k not in _READER_ONLY}
        if config.get("InputType") in _INPUT_TYPES - _READ_BY_MOTO:
            config["InputType"] = "JSON"
        state["ItemReader"] = reader | {"ReaderConfig": config}
    return options


def _maps(program: Any) -> Iterator[Any]:
    """The Map states of a parsed machine, those in branches and in other Maps included."""
    for state in program.states.states.values():
        if isinstance(state, StateMap):
            yield state
            yield from _maps(state.iteration_component._get_iteration_program())
        if isinstance(state, StateParallel):
            for branch in state.branches.programs:
                yield from _maps(branch)


@hooks.edits(
    f"{_PARSE}.preprocessor:Preprocessor._inner_string_of",
    reason="takes the text of a string with its escapes for its value",
)
def _with_values(inner_string_of: Callable[..., str | None]) -> Any:
    """Give a string's value, its escapes resolved; a path's are its own, and left to it."""

    def value_of(parser_rule_context: Any) -> str | None:
        text = inner_string_of(parser_rule_context)
        return text if isinstance(parser_rule_context, _PATHS) else _unescaped(text)

    return staticmethod(value_of)


@hooks.edits(
    "moto.stepfunctions.parser.asl.antlt4utils.antlr4utils:ast",
    reason="reads the escapes of a JSON string as Python's",
)
def _json_escapes(_: Any) -> Any:
    """Stand in for the module that reads a string's escapes."""
    return _JsonStrings


class _JsonStrings:
    """`ast`, for the one call made of it there."""

    @staticmethod
    def literal_eval(text: str) -> Any:
        """The value of a string in quotes."""
        try:
            return json.loads(text, strict=False)
        except ValueError:
            return ast.literal_eval(text)


def _unescaped(text: str | None) -> str | None:
    if text is None or "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
