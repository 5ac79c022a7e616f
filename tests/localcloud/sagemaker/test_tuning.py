"""What a search proposes next, by what it has seen."""

import pytest

from localcloud.sagemaker import tuning
from tests.localcloud.sagemaker.resources.test_tuning_jobs import configuration


def test_bayesian_search_learns_where_the_best_is() -> None:
    """After a dozen judged proposals the search proposes near the optimum it cannot see."""
    config = configuration(
        most=40,
        RandomSeed=1,
        ParameterRanges={
            "ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]
        },
    )
    search = tuning.search_for(config)
    tried = []
    for _ in range(40):
        proposal = search.propose()
        assert proposal is not None
        number, values = proposal
        tried.append(float(values["x"]))
        search.judge(number, -((tried[-1] - 0.7) ** 2))
    late = [abs(value - 0.7) for value in tried[-10:]]
    assert sum(late) / 10 < 0.1


@pytest.mark.parametrize(
    ("scaling", "low", "high"), [("Logarithmic", 1e-6, 1.0), ("ReverseLogarithmic", 0.0, 0.999999)]
)
def test_scaling_spreads_proposals_over_orders_of_magnitude(
    scaling: str, low: float, high: float
) -> None:
    """Logarithmic tries as many values below 0.001 as between it and 1; Reverse near 1."""
    item = {"Name": "x", "MinValue": str(low), "MaxValue": str(high), "ScalingType": scaling}
    config = configuration(
        "Random", RandomSeed=3, ParameterRanges={"ContinuousParameterRanges": [item]}
    )
    search = tuning.search_for(config)
    values = []
    for _ in range(100):
        proposal = search.propose()
        assert proposal is not None
        values.append(float(proposal[1]["x"]))
    assert all(low <= value <= high for value in values)
    edge = [value if scaling == "Logarithmic" else 1 - value for value in values]
    assert 30 < sum(value < 0.001 for value in edge) < 70


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_a_seed_proposes_the_same_again(strategy: str) -> None:
    """RandomSeed makes a search reproducible."""
    searches = [tuning.search_for(configuration(strategy, RandomSeed=5)) for _ in range(2)]
    first, second = ([search.propose() for _ in range(5)] for search in searches)
    assert first == second
    assert first[0] != first[1]
