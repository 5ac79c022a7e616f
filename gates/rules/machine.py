"""What holds for a state machine as a whole: limits, language, logs."""

import re

from jsonata import jsonata

from gates.machine import Machine, walk
from gates.rules.registry import ASL, STEP_FUNCTIONS, Found, Rules

RULES = Rules()


@RULES.rule(
    "machine-timeout",
    why="An execution may run for a year, and what it waits for is paid for as long",
    source=f"{STEP_FUNCTIONS}/sfn-best-practices.html",
)
def _machine_timeout(machine: Machine) -> Found:
    if not 0 < machine.definition.get("TimeoutSeconds", 0) <= 7 * 86400:
        yield "-", "has no TimeoutSeconds of at most a week"


@RULES.rule(
    "comments",
    why="The console shows them to a person who has never seen this machine",
    source=f"{ASL}#toplevelfields",
)
def _comments(machine: Machine) -> Found:
    if not machine.definition.get("Comment", "").strip():
        yield "-", "has no Comment"


@RULES.rule(
    "jsonata",
    why="JSONPath and JSONata in one machine read data by two sets of rules",
    source=f"{STEP_FUNCTIONS}/transforming-data.html",
)
def _jsonata(machine: Machine) -> Found:
    if machine.definition.get("QueryLanguage") != "JSONata":
        yield "-", "QueryLanguage is not JSONata"
    for name, state in machine.states().items():
        if state.get("QueryLanguage", "JSONata") != "JSONata":
            yield name, "QueryLanguage is not JSONata"


@RULES.rule(
    "expressions",
    why="A malformed expression fails the run where it is first evaluated, after money was spent",
    source=f"{ASL}#jsonata",
)
def _expressions(machine: Machine) -> Found:
    for name, state in machine.states().items():
        for path, value in walk({k: v for k, v in state.items() if k != "Branches"}):
            if not isinstance(value, str) or ("{%" not in value and "%}" not in value):
                continue
            if not (value.startswith("{%") and value.endswith("%}")):
                yield name, f"{path} is only partly an expression"
                continue
            try:
                jsonata.Jsonata(value[2:-2])
            except Exception as error:  # noqa: BLE001 (whatever the parser says, it does not parse)
                yield name, f"{path} does not parse: {error}"


@RULES.rule(
    "no-data-in-logs",
    why="Inputs name files and results carry predictions: logs are read by more people than data",
    source=f"{STEP_FUNCTIONS}/cw-logs.html",
)
def _no_data_in_logs(machine: Machine) -> Found:
    if machine.properties.get("LoggingConfiguration", {}).get("IncludeExecutionData") is not False:
        yield "-", "the log includes execution data"


@RULES.rule(
    "logs",
    why="What happened in a run must be known after its history is gone (90 days)",
    source="https://docs.aws.amazon.com/securityhub/latest/userguide/stepfunctions-controls.html",
)
def _logs(machine: Machine) -> Found:
    logging = machine.properties.get("LoggingConfiguration", {})
    if logging.get("Level") != "ALL" or not logging.get("Destinations"):
        yield "-", "not every state is logged"


@RULES.rule(
    "tracing",
    why="Traces tell which of the services was slow",
    source=f"{STEP_FUNCTIONS}/concepts-xray-tracing.html",
)
def _tracing(machine: Machine) -> Found:
    if machine.properties.get("TracingConfiguration", {}).get("Enabled") is not True:
        yield "-", "tracing is off"


@RULES.rule(
    "no-place",
    why="One template must deploy into every account and region",
    source="https://docs.aws.amazon.com/cdk/v2/guide/environments.html",
)
def _no_place(machine: Machine) -> Found:
    # The key of the setting `encryption_key` is where its owner has put it.
    literal = re.sub(r"arn:aws[\w-]*:kms:[\w-]+:\d{12}:key/[\w-]+", "", machine.literal)
    for match in re.findall(r"(?<!\d)\d{12}(?!\d)|\b[a-z]{2}(?:-gov)?-[a-z]+-\d\b", literal):
        yield "-", f"{match} is written out"
