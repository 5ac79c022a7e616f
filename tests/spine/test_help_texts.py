"""The texts of the help: what `run` takes stands in it field by field."""

from spine.shipped import load
from tests.spine.conftest import Spine


def test_the_help_of_run_lists_every_field_of_the_execution_input(spine: Spine) -> None:
    """Each with what it takes and its default, from the model that checks it."""
    lines = [line.split() for line in spine("run", "--help").stdout.splitlines()]
    named = [words[0] for words in lines if words]
    sections = load("plan.sections").SECTIONS
    for section, model in sections.items():
        assert section in named
        assert {field.alias or name for name, field in model.model_fields.items()} - set(named) <= {
            "format",
            "minimum",
            "maximum",
        }
    assert [
        "train",
        "a",
        "number",
        "between",
        "0",
        "and",
        "1,",
        "both",
        "excluded",
        "(0.8)",
    ] in lines
    assert {"format.kind", "minimum.auc", "maximum.mae"} <= set(named)
