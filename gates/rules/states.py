"""How states hang together: transitions, loops, waits."""

import json
import re

from gates.machine import Machine, State, is_expression, keys, reached, successors
from gates.rules.registry import ASL, STEP_FUNCTIONS, Found, Rules

RULES = Rules()


@RULES.rule(
    "transitions",
    why="A state that names none after it, or one that is not there, cannot be deployed",
    source=f"{ASL}#transition",
)
def _transitions(machine: Machine) -> Found:
    for scope in machine.scopes():
        states = scope["States"]
        if scope.get("StartAt") not in states:
            yield "-", f"StartAt {scope.get('StartAt')!r} is no state"
        for name, state in states.items():
            for missing in set(successors(state)) - states.keys():
                yield name, f"goes on to {missing!r}, which is no state"
            ends = state.get("End") or state["Type"] in {"Fail", "Succeed", "Choice"}
            if not ends and "Next" not in state:
                yield name, "neither ends nor goes on"


@RULES.rule(
    "reachable",
    why="A state that nothing leads to is a step somebody believes in",
    source=f"{ASL}#transition",
)
def _reachable(machine: Machine) -> Found:
    for scope in machine.scopes():
        for name in scope["States"].keys() - reached(
            scope["States"], [scope.get("StartAt", "")], past=set()
        ):
            yield name, "cannot be reached"


@RULES.rule(
    "names",
    why="People find a state by its name in the console, in logs and in alarms",
    source=f"{ASL}#states-fields",
)
def _names(machine: Machine) -> Found:
    seen: set[str] = set()
    for scope in machine.scopes():
        for name in scope["States"]:
            if not re.fullmatch(r"[A-Z][A-Za-z0-9 ,?'-]{2,78}[A-Za-z0-9?]", name):
                yield name, "is not a readable name of at most 80 characters"
            if name in seen:
                yield name, "is the name of two states"
            seen.add(name)


@RULES.rule(
    "keys",
    why="A field with a blank in its name is another field, and is ignored",
    source=ASL,
)
def _blankkeys(machine: Machine) -> Found:
    for name, state in machine.states().items():
        for key in keys(state):
            if key != key.strip() and key not in machine.states():
                yield name, f"has the field {key!r}"


@RULES.rule(
    "choice-default",
    why="A Choice that nothing matches fails with States.NoChoiceMatched, which no Catch takes",
    source=f"{ASL}#choice-state",
)
def _choice_default(machine: Machine) -> Found:
    for name, state in machine.states().items():
        if state["Type"] == "Choice" and "Default" not in state:
            yield name, "has no Default"


@RULES.rule(
    "bounded-loops",
    why="A loop without a count waits for as long as the machine may run",
    source=f"{STEP_FUNCTIONS}/sfn-best-practices.html",
)
def _bounded_loops(machine: Machine) -> Found:
    for scope in machine.scopes():
        states = scope["States"]
        free = {
            name: [each for each in successors(state) if each not in _counted(states, name)]
            for name, state in states.items()
        }
        for name in states:
            seen: set[str] = set()
            open_states = list(free[name])
            while open_states:
                each = open_states.pop()
                if each not in seen and each in free:
                    seen.add(each)
                    open_states += free[each]
            if name in seen:
                yield name, "is come back to without a count"


def _counted(states: dict[str, State], name: str) -> set[str]:
    """The states that a Choice goes on to only so many times.

    Either its condition holds a counter below a limit, and going there counts, or it compares the
    number of redrives with the one of the last time: each is a person's decision.
    """
    found = set()
    assigned = json.dumps(
        [
            scope.get("Assign", {})
            for each in states.values()
            for scope in (each, *each.get("Catch", []))
        ]
    )
    for choice in states[name].get("Choices", []):
        condition = str(choice.get("Condition"))
        target = states.get(choice["Next"], {})
        counting = json.dumps([choice.get("Assign", {}), target.get("Assign", {})])
        counters = re.findall(r"\$(\w+) <", condition)
        redriven = re.findall(r"Execution\.RedriveCount > \$(\w+)", condition)
        if any(f"${each} + 1" in counting for each in counters) or any(
            f'"{each}": "{{% $states.context.Execution.RedriveCount %}}"' in assigned
            for each in redriven
        ):
            found.add(choice["Next"])
    return found


@RULES.rule(
    "bounded-waits",
    why="A wait that the input decides can hold an endpoint for as long",
    source=f"{ASL}#wait-state",
)
def _bounded_waits(machine: Machine) -> Found:
    for name, state in machine.states().items():
        if state["Type"] != "Wait":
            continue
        seconds = state.get("Seconds")
        if isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds <= 900:
            continue
        if not is_expression(seconds) or "$states." in str(seconds):
            yield name, "waits neither a short time nor one of the plan or a counter"


@RULES.rule(
    "fail-states",
    why="Whoever is told of the failure must be told which",
    source=f"{ASL}#fail-state",
)
def _fail_states(machine: Machine) -> Found:
    for name, state in machine.states().items():
        if state["Type"] == "Fail" and not (state.get("Error") and state.get("Cause")):
            yield name, "lacks its Error or its Cause"
