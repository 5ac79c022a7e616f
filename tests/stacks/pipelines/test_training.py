"""The training pipeline, as a stranger reads it in the console."""

from typing import Any

from gates.machine import Machine, successors


def test_the_main_path_reads_top_to_bottom(definition: dict[str, Any]) -> None:
    """Following Next from the start tells the story a stranger sees in the console."""
    path, name = [], definition["StartAt"]
    while name:
        path.append(name)
        state = definition["States"][name]
        # Small files, as most are, go to the function, and training is on demand.
        if name == "Which engine?":
            name = state["Choices"][0]["Next"]
        else:
            name = state["Default"] if name == "On spot?" else state.get("Next")
    assert path == [
        "Plan the run",
        "Which engine?",
        "Prepare the data",
        "On spot?",
        "Train the model",
        "Create the model",
        "Finished already?",
    ]
    assert definition["States"]["Finished already?"]["Default"] == "Serve and score"
    assert definition["States"]["Serve and score"]["Next"] == "Quality gate"


def test_every_way_to_the_end_deletes_the_endpoint_or_keeps_it_knowingly(
    definition: dict[str, Any],
) -> None:
    """Once served, no path reaches an end state but through a clean-up or the keeping."""
    states = definition["States"]
    # A model alone is free; one that is made again follows a finished run only.
    passes = {"Clean up", "Clean up after failure", "Keep the endpoint", "Create the model"}
    seen, open_ends = set(), ["Serve and score"]
    while open_ends:
        name = open_ends.pop()
        if name in seen or name in passes:
            continue
        seen.add(name)
        assert "End" not in states[name], name
        assert states[name]["Type"] not in {"Fail", "Succeed"}, name
        open_ends += successors(states[name])


def test_the_image_that_trains_also_serves(machine: Machine) -> None:
    """It is the version of the settings; another may load a model and predict wrong values."""
    found = machine.tasks()
    training = found["Train the model"]["Arguments"]["AlgorithmSpecification"]["TrainingImage"]
    serving = found["Create the model"]["Arguments"]["PrimaryContainer"]["Image"]
    assert training == serving
    assert training.endswith("/sagemaker-xgboost:3.2-0")
