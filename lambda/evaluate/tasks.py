"""How each task is evaluated: a folder each, and a row here. Pure."""

from collections.abc import Mapping
from typing import Any

from ..common.tasks import Task
from .binary import Binary
from .evaluation import Evaluation
from .multiclass import Multiclass
from .regression import Regression

EVALUATIONS: Mapping[Task, type[Evaluation[Any]]] = {
    "binary": Binary,
    "multiclass": Multiclass,
    "regression": Regression,
}
