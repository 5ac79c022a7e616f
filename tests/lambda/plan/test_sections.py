"""Single fields of the execution input: their bounds, and every refusal."""

from typing import Any

import pytest

from tests.planning import at, plan, refused, says_one_problem

# (field, value, what the message must say besides the field)
REFUSALS: list[tuple[str, object, str]] = [
    # Unknown fields
    ("sorce", {}, 'Did you mean "source"?'),
    ("threshold", 0.5, 'Did you mean "evaluation.threshold"?'),
    ("__proto__", {}, "does not exist"),
    ("source.url", "https://data.example.org/a.csv", 'Did you mean "uri"?'),
    ("split.validation", 0.1, 'Did you mean "validate"?'),
    ("training.image", "evil:latest", "does not exist"),
    ("training.role_arn", "arn:aws:iam::999999999999:role/x", "does not exist"),
    ("endpoint.name", "other-endpoint", "does not exist"),
    ("batch_transform.keep", True, "does not exist"),
    ("evaluation.minimum.acu", 0.8, 'Did you mean "auc"?'),
    ("run", {"id": "mine"}, "does not exist"),
    ("places", {"model": "s3://elsewhere/"}, "does not exist"),
    # Wrong types
    ("source", None, "no value"),
    ("source", "s3://spine-bucket/incoming/a.csv", "is text"),
    ("endpoint", False, "a truth value"),
    ("evaluation", [], "a list"),
    ("evaluation.minimum", 0.8, "a number"),
    ("training.hyperparameters", "eta=1", "is text"),
    ("endpoint.enabled", "true", "without quotes"),
    ("endpoint.enabled", 1, "without quotes"),
    ("endpoint.ttl_minutes", "60", "whole number"),
    ("endpoint.ttl_minutes", 60.5, "whole number"),
    ("training.instance_count", True, "whole number"),
    ("training.instance_type", 5, "is a number"),
    ("split.train", "0.8", "between 0 and 1"),
    ("split.train", True, "between 0 and 1"),
    ("evaluation.threshold", None, "from 0 to 1"),
    ("source.label", 3, "is a number"),
    ("source.positive", 1, "in quotes even for a number"),
    ("source.uri", ["s3://spine-bucket/incoming/a.csv"], "a list"),
    # Out of range
    ("evaluation.threshold", 2, "from 0 to 1"),
    ("evaluation.threshold", -0.01, "from 0 to 1"),
    ("evaluation.threshold", float("nan"), "from 0 to 1"),
    ("evaluation.threshold", float("inf"), "from 0 to 1"),
    ("evaluation.minimum.auc", 1.01, "from 0 to 1"),
    ("split", {"train": 0.7, "test": 0.1, "validate": 0.1}, "0.9 in total, not 1"),
    ("split", {"train": 0.9}, "1.1 in total, not 1"),
    ("split.train", 0, "between 0 and 1"),
    ("split.test", 1, "between 0 and 1"),
    ("split.validate", -0.1, "between 0 and 1"),
    ("split.seed", -1, "whole number"),
    ("split.seed", 2**32, "whole number"),
    ("training.instance_count", 0, "from 1 to 20"),
    ("training.instance_count", 21, "from 1 to 20"),
    ("batch_transform.instance_count", 1000, "from 1 to 20"),
    ("training.max_runtime_seconds", 59, "from 60 to 432000"),
    ("training.max_runtime_seconds", 432_001, "from 60 to 432000"),
    ("endpoint.ttl_minutes", 0, "one week"),
    ("endpoint.ttl_minutes", 10_081, "one week"),
    # Sources
    ("source.version_id", "v1", "for S3 objects only"),
    ("source.version_id", "", "is empty"),
    ("source.sha256", "abc", "64 hexadecimal digits"),
    ("source.sha256", "g" * 64, "64 hexadecimal digits"),
    ("source.sha256", "a" * 64 + "\n", "64 hexadecimal digits"),
    ("source.member", "", "is empty"),
    ("source.member", "a\x00.csv", "cannot be printed"),
    ("source.member", 7, "is a number"),
    ("source.label", "", "is empty"),
    ("source.label", "cl\u202eass", "cannot be printed"),
    ("source.label", "x" * 257, "1 to 256 characters"),
    ("source.positive", "a\nb", "cannot be printed"),
]


@pytest.mark.parametrize(("path", "value", "says"), REFUSALS)
def test_what_cannot_run_is_refused_by_name(path: str, value: object, says: str) -> None:
    """Each refusal is one line naming the field and the value, and says what to change."""
    says_one_problem(refused(at(path, value)), path, says)


def test_the_bounds_themselves_are_allowed() -> None:
    """Closed ranges include their ends."""
    planned = plan(
        {
            "split": {"train": 0.98, "test": 0.01, "validate": 0.01, "seed": 2**32 - 1},
            "training": {"instance_count": 20, "max_runtime_seconds": 432_000},
            "endpoint": {"ttl_minutes": 10_080, "keep": True},
            "evaluation": {"threshold": 1, "minimum": {"auc": 1, "recall": 0}},
        }
    )
    assert planned["evaluation"] == {
        "threshold": 1,
        "minimum": {"auc": 1, "recall": 0},
        "maximum": {},
    }
    assert planned["split"]["seed"] == 2**32 - 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({}, ("column_2C_weka.arff", True)),
        ({"uri": None}, ("column_2C_weka.arff", True)),
        ({"label": "class"}, ("column_2C_weka.arff", True)),
        ({"member": "column_2C_weka.arff"}, ("column_2C_weka.arff", True)),
        ({"member": "column_3C_weka.arff"}, ("column_3C_weka.arff", False)),
        ({"uri": "https://data.example.org/a.zip"}, (None, False)),
        ({"uri": "s3://spine-bucket/incoming/a b é.csv"}, (None, False)),
        ({"uri": "s3://partner-bucket/any/where.csv", "version_id": "v1"}, (None, False)),
        ({"uri": "s3://spine-bucket/incoming/a\u00a0b\u2003\u200dc.csv"}, (None, False)),
        ({"uri": "https://data.example.org/données à moi.csv"}, (None, False)),
        (
            {"label": "prix\u00a0€", "drop": ["a\u200fb"], "uri": "s3://spine-bucket/uploads/a"},
            (None, False),
        ),
        ({"uri": "https://DATA.example.org/a.csv?download=1"}, (None, False)),
    ],
)
def test_only_the_notebooks_own_file_is_pinned(
    source: dict[str, Any], expected: tuple[str | None, bool]
) -> None:
    """Another address or another member has another hash, so the pinned one must not apply."""
    planned = plan({"source": source})["source"]
    assert (planned["member"], planned["sha256"] is not None) == expected


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({"format": {"delimiter": ";;"}}, "source.format.delimiter"),
        ({"format": {"delimiter": "\n"}}, "source.format.delimiter"),
        ({"format": {"kind": "excel"}}, 'source.format.kind: "excel"'),
        ({"format": {"header": "no"}}, "source.format.header"),
        ({"format": {"quote": "'"}}, "source.format.quote"),
        ({"format": []}, "source.format"),
        ({"missing": "drop"}, 'source.missing: "drop"'),
        ({"drop": "id"}, "source.drop"),
        ({"drop": [1]}, "source.drop.0"),
        ({"rename": {"a": ""}}, "source.rename.a"),
        ({"categorical": [""]}, "source.categorical.0"),
        ({"rest": 1}, "source.rest"),
        ({"allow_leakage": "yes"}, "source.allow_leakage"),
    ],
)
def test_fields_about_the_file_are_refused_by_name(source: dict[str, Any], says: str) -> None:
    """Each field of how the file is written and read says what it takes."""
    assert says in refused({"source": source})
