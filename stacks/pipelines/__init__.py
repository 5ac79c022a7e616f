"""The pipelines, one file each: a machine's steps in the order in which things happen."""

from collections.abc import Callable

from stacks.machine.composition import Pipeline, Steps
from stacks.pipelines.training import training

# By what tells the machines' constructs, logs and alarms apart; the first has no need of a word.
PIPELINES: dict[str, Callable[[Steps], Pipeline]] = {"": training}
