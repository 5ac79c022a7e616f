"""Which hyperparameters a tuning job tries next."""

import itertools
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from localcloud.sagemaker.errors import invalid

# From this ratio of the ends of a range on, ScalingType Auto means Logarithmic.
_AUTO_LOGARITHMIC = 1000
# Bayesian search begins with so many random proposals at most, fewer for a small budget.
_RANDOM_AT_MOST = 10


class Search(Protocol):
    """Proposes hyperparameters one after the other, several before the first is judged."""

    def propose(self) -> tuple[int, dict[str, str]] | None:
        """A number for `judge`, and values as strings; None when there are no more to try."""

    def judge(self, number: int, value: float | None) -> None:
        """Says what became of a proposal: the objective's value, or None when it failed."""


def search_for(config: Mapping[str, Any]) -> Search:
    """The search that a `HyperParameterTuningJobConfig` asks for.

    Raises:
        ApiError: A range is none, or the strategy does not take it.
    """
    ranges = config.get("ParameterRanges", {})
    names = [item["Name"] for items in ranges.values() for item in items]
    if not names:
        raise invalid("At least one hyperparameter range is required in ParameterRanges.")
    if len(set(names)) != len(names):
        raise invalid("Hyperparameter names in ParameterRanges must be unique.")
    for item in _numeric(ranges):
        _check_range(*item)
    if config["Strategy"] == "Grid":
        return Grid(config)
    return _Optimised(config)


def combinations(ranges: Mapping[str, Any]) -> int:
    """How many proposals a grid has."""
    count = 1
    for item in ranges.get("CategoricalParameterRanges", []):
        count *= len(item["Values"])
    return count


class Grid:
    """Every combination of categorical values, in order."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        ranges = config["ParameterRanges"]
        if any(True for _ in _numeric(ranges)):
            raise invalid(
                "The Grid strategy takes CategoricalParameterRanges only. List the values to try."
            )
        items = ranges["CategoricalParameterRanges"]
        names = [item["Name"] for item in items]
        values = itertools.product(*(item["Values"] for item in items))
        self._rest: Iterator[tuple[int, tuple[str, ...]]] = enumerate(values)
        self._names = names

    def propose(self) -> tuple[int, dict[str, str]] | None:
        """The next combination."""
        found = next(self._rest, None)
        if found is None:
            return None
        return found[0], dict(zip(self._names, found[1], strict=True))

    def judge(self, number: int, value: float | None) -> None:
        """A grid learns nothing."""


class _Optimised:
    """Random and Bayesian search, by Optuna.

    SageMaker's own Bayesian search is a Gaussian process. Optuna's tree-structured Parzen
    estimator is as sequential and model-based, at home with few jobs, categories and several
    proposals at a time (it takes running ones for bad, so that it does not propose them again).
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        # Imported here: a tenth of a second that a service without tuning jobs need not pay.
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        seed = config.get("RandomSeed")
        with warnings.catch_warnings():
            # `multivariate` and `constant_liar` are marked experimental.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            if config["Strategy"] == "Random":
                sampler: Any = optuna.samplers.RandomSampler(seed=seed)
            else:
                budget = config["ResourceLimits"].get("MaxNumberOfTrainingJobs", _RANDOM_AT_MOST)
                sampler = optuna.samplers.TPESampler(
                    seed=seed,
                    multivariate=True,
                    constant_liar=True,
                    n_startup_trials=min(_RANDOM_AT_MOST, max(2, budget // 3)),
                )
        objective = config["HyperParameterTuningJobObjective"]["Type"]
        self._study = optuna.create_study(direction=objective.lower(), sampler=sampler)
        self._failed = optuna.trial.TrialState.FAIL
        self._space: dict[str, Any] = {}
        self._reversed: set[str] = set()
        ranges = config["ParameterRanges"]
        for kind, item in _numeric(ranges):
            self._space[item["Name"]] = self._numbers(kind, item, optuna.distributions)
        for item in ranges.get("CategoricalParameterRanges", []):
            self._space[item["Name"]] = optuna.distributions.CategoricalDistribution(item["Values"])

    def _numbers(self, kind: type, item: Mapping[str, Any], distributions: Any) -> Any:
        low, high = kind(item["MinValue"]), kind(item["MaxValue"])
        scaling = item.get("ScalingType", "Auto")
        if kind is int:
            logarithmic = _logarithmic(scaling, low, high)
            return distributions.IntDistribution(low, high, log=logarithmic)
        if scaling == "ReverseLogarithmic":
            self._reversed.add(item["Name"])
            return distributions.FloatDistribution(1 - high, 1 - low, log=True)
        return distributions.FloatDistribution(low, high, log=_logarithmic(scaling, low, high))

    def propose(self) -> tuple[int, dict[str, str]] | None:
        """The optimiser's next proposal."""
        trial = self._study.ask(self._space)
        values = {
            name: 1 - value if name in self._reversed else value
            for name, value in trial.params.items()
        }
        return trial.number, {name: str(value) for name, value in values.items()}

    def judge(self, number: int, value: float | None) -> None:
        """Teaches the optimiser."""
        if value is None:
            self._study.tell(number, state=self._failed)
        else:
            self._study.tell(number, value)


def _logarithmic(scaling: str, low: float, high: float) -> bool:
    if scaling == "Auto":
        return low > 0 and high / low >= _AUTO_LOGARITHMIC
    return scaling == "Logarithmic"


def _numeric(ranges: Mapping[str, Any]) -> Iterable[tuple[type, Mapping[str, Any]]]:
    for kind, member in ((int, "IntegerParameterRanges"), (float, "ContinuousParameterRanges")):
        for item in ranges.get(member, []):
            yield kind, item


def _check_range(kind: type, item: Mapping[str, Any]) -> None:
    name = item["Name"]
    try:
        low, high = kind(item["MinValue"]), kind(item["MaxValue"])
    except ValueError:
        raise invalid(
            f"Hyperparameter {name}: MinValue {item['MinValue']!r} and MaxValue "
            f"{item['MaxValue']!r} must be numbers ({kind.__name__})."
        ) from None
    if low > high:
        raise invalid(
            f"Hyperparameter {name}: MinValue {low} must not be greater than MaxValue {high}."
        )
    scaling = item.get("ScalingType", "Auto")
    if scaling == "Logarithmic" and low <= 0:
        raise invalid(
            f"Hyperparameter {name}: Logarithmic scaling needs a MinValue greater than 0, "
            f"not {low}."
        )
    if scaling == "ReverseLogarithmic" and (kind is int or low < 0 or high >= 1):
        raise invalid(
            f"Hyperparameter {name}: ReverseLogarithmic scaling needs a continuous range within "
            f"[0, 1), not [{low}, {high}]."
        )
