"""The longer texts of the help: examples, and the execution input field by field."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from rich.markup import escape

from spine.shipped import load

INTRODUCTION = (
    "A training file in; a trained, measured, served and cleaned-up model out.\n\n"
    "Everything here happens on this machine, in a local cloud that stands in for AWS: no account, "
    "no cost. [bold]spine run[/] does all of it, from starting the cloud to the report."
)

FAREWELL = (
    "Start with [bold]spine run[/]; look around with [bold]spine status[/] and "
    "[bold]spine logs[/]; stop with [bold]spine down[/]."
)


def _example(command: str, why: str = "") -> str:
    return f"  {command}  [dim]{why}[/]" if why else f"  {command}"


def _examples(*lines: str) -> str:
    return "\n".join(["[bold]Examples[/]", *lines])


def run() -> str:
    """Return what `spine run --help` ends with: examples, and all fields of the execution input."""
    return "\n\n".join([_RUN_EXAMPLES, _input(), _EXIT_CODES])


def _input() -> str:
    lines = ["[bold]The input[/]  every field has a default; what is wrong is refused by name"]
    for name, section in load("plan.sections").SECTIONS.items():
        lines += [f"  [bold]{name}[/]", *_fields(section, section.model_construct())]
    return "\n".join(lines)


def _fields(section: type, defaults: object, path: str = "") -> Iterator[str]:
    """Yield the lines of a section's fields, each as `name`, what it takes, and its default."""
    kind: Any = load("plan.sections").Section
    for attribute, field in section.model_fields.items():  # type: ignore[attr-defined]
        name, default = path + (field.alias or attribute), getattr(defaults, attribute)
        if isinstance(default, kind):
            yield from _fields(type(default), default, f"{name}.")
            continue
        shown = "" if default is None else f" ({json.dumps(default)})"
        yield "\n".join(
            textwrap.wrap(
                escape(f"{name:<24}{field.description}{shown}"),
                76,
                initial_indent="    ",
                subsequent_indent=" " * 28,
                break_on_hyphens=False,
            )
        )


_EXIT_CODES = "[bold]Exit code[/]  0 succeeded, 1 failed, 2 something typed is wrong, 130 Ctrl-C"

_RUN_EXAMPLES = "\n\n".join(
    [
        _examples(
            _example("spine run", "UCI's vertebral column data, every default"),
            _example("spine run --source data.zip --json > result.json"),
            _example(
                """spine run -s ill.csv -i '{"source": {"label": "ill", "positive": "yes"}}'"""
            ),
            _example(
                "spine run -s wine.csv -i several.json", "objective multi:softprob: several classes"
            ),
            _example(
                "spine run -s prices.csv -i number.json", "objective reg:squarederror: a number"
            ),
            _example("""spine run -i '{"endpoint": {"keep": true}}'""", "then: spine predict"),
            _example("""spine run -i '{"training": {"hyperparameters": {"max_depth": 4}}}'"""),
            _example("spine run -i input.json --name tuned-1"),
        ),
    ]
)

UP = "\n\n".join(
    [
        _examples(
            _example("spine up --port 4566"),
            _example("spine up --quota ml.m5.large/endpoint=0", "as many new accounts have it"),
            _example("spine up --throttle 2 --consistency-lag 5 --delay endpoint-create=120"),
            _example("spine up --allow-origin http://localhost:3000", "its pages need the key too"),
            _example("spine up --faults faults.json", "replaces those of a running cloud too"),
        ),
        "\n".join(
            [
                "[bold]Quotas[/]  a type, one of endpoint, training-job, transform-job, and",
                "  how many: [bold]ml.m5.large/endpoint=2[/]. Beyond it: ResourceLimitExceeded.",
                "[bold]Delays[/]  training (each of its states), transform, endpoint-create,",
                "  endpoint-update, endpoint-delete; in seconds: [bold]training=30[/]",
                "  What is switched on is shown by spine status, and ends with the cloud.",
            ]
        ),
        "\n".join(
            [
                "[bold]Faults[/]  a JSON list; only the pipeline's own calls count, not yours:",
                """  \\[{"service": "sagemaker", "operation": "CreateModel", "nth": 1,""",
                """    "fault": "lost-answer"},""",
                """   {"service": "s3", "operation": "PutObject", "every": 3,""",
                """    "fault": "throttle"}]""",
                "  [bold]service[/]     sagemaker, sagemaker-runtime, lambda, s3, events, ...",
                "  [bold]operation[/]   as in the API reference; * for any",
                "  [bold]nth, every[/]  which of the matching calls, one of the two",
                "  [bold]fault[/]       fail, throttle, hang, or lost-answer: the call takes",
                "              effect, and the caller gets an error",
                "  [bold]containing[/]  only calls whose address or body holds this text",
                "  [bold]seconds[/]     how long hang lasts, 75 when left out",
                "  [bold]error, status[/]  an error code and HTTP status of your own",
            ]
        ),
    ]
)

PREDICT = _examples(
    _example('spine predict --row "63.0,22.6,39.6,40.5,98.7,-0.3"'),
    _example('spine predict my-run --row "1,2,3" --row "4,5,6"', "by the run's name"),
    _example("spine predict --file rows.csv --json"),
    _example("cut -d, -f1-6 data.csv | spine predict"),
)

LOGS = _examples(
    _example("spine logs", "everything that has a log"),
    _example("spine logs last", "all functions and jobs of the last run, in order"),
    _example("spine logs prepare --follow", "a function"),
    _example("spine logs gateway", "the cloud itself; also sagemaker, deploy"),
)

ENV = _examples(
    _example('eval "$(spine env)" && aws s3 ls', "this shell talks to the local cloud only"),
    _example('eval "$(spine env --unset)"', "and no longer"),
)
