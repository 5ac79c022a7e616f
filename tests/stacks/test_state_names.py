"""What is known of states by their names is known of states that a machine has."""

import ast
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from gates.machine import Machine
from tests.support import ROOT

RECORDED = sorted((ROOT / "tests" / "spine" / "recorded").glob("*.json"))
# Every table by state there is, of the command line and of the tests of redrives.
TABLES = {
    "spine/failure.py: _BY_STATE",
    "spine/inventory.py: answers",
    "spine/notes.py: _SAY",
    "tests/reliability/redrives.py: PLACES",
}


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """The keys of a module's tables, and what it asks `answers` for, which are by state."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.AnnAssign(target=target, value=ast.Dict(keys=keys)):
                asked = keys
            case ast.Assign(targets=[target], value=ast.Dict(keys=keys)):
                asked = keys
            case ast.Call(func=ast.Attribute(value=ast.Name(id="answers") as target), args=asked):
                pass
            case _:
                continue
        for key in asked:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield ast.unparse(target), key.value


def test_every_table_by_state_names_states_that_exist(machine: Machine) -> None:
    """A table that knows one state by name knows nothing but states."""
    states = machine.states().keys()
    found = defaultdict(set)
    for folder in ("spine", "tests/reliability"):
        for path in sorted((ROOT / folder).glob("*.py")):
            for table, text in texts(path):
                found[f"{path.relative_to(ROOT)}: {table}"].add(text)
    by_state = {table: keys for table, keys in found.items() if keys & states or table in TABLES}
    assert by_state.keys() == TABLES
    for table, keys in by_state.items():
        assert keys <= states, table


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_histories_are_of_the_machine_as_it_is(machine: Machine, path: Path) -> None:
    """What the command line is tested with is what it will be shown."""
    entered = {
        event["stateEnteredEventDetails"]["name"]
        for event in json.loads(path.read_text())
        if "stateEnteredEventDetails" in event
    }
    assert entered
    assert entered <= machine.states().keys()
