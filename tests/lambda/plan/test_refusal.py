"""How a refusal of the execution input reads."""

from tests.planning import refused


def test_every_problem_is_reported_at_once() -> None:
    """A person corrects the input once, across sections and kinds of checks."""
    message = refused(
        {
            "colour": "red",
            "source": {"label": ""},
            "split": {"train": 0.5},
            "training": {"instance_type": "x", "hyperparameters": {"eta": 9, "what": 1}},
            "endpoint": {"keep": True, "enabled": False},
            "batch_transform": {"instance_count": 0},
            "evaluation": {"threshold": 2},
        }
    )
    assert "has 8 problems" in message
    paths = [line[2:].partition(": ")[0] for line in message.splitlines()[1:]]
    assert paths == [
        "colour",
        "source.label",
        "split",
        "training.instance_type",
        "training.hyperparameters.eta",
        "training.hyperparameters.what",
        "batch_transform.instance_count",
        "evaluation.threshold",
    ]


def test_a_long_list_of_problems_is_cut() -> None:
    """The console shows a cause of limited length, so the count tells the rest."""
    message = refused({f"field{n}": n for n in range(500)})
    assert "500 problems" in message
    assert message.endswith("and 480 more.")
    assert len(message) < 8_000


def test_a_long_or_invisible_value_is_shown_shortened_and_escaped() -> None:
    """A message is one line for each problem, whatever the value holds."""
    message = refused({"source": {"member": "x" * 5000}})
    assert "x" * 70 in message
    assert "x" * 81 not in message
    message = refused({"split": {"a\nb\u202e": "\ud800\x1b[31m"}})
    assert len(message.splitlines()) == 2
    assert message.isascii()
