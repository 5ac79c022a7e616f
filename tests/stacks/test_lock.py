"""The lock files hold what their `.in` files ask for, and the check that says so notices."""

import json
from pathlib import Path

import pytest

from stacks import lock

_ASKED = "numpy<2.5\nscikit_learn  # for the report\n"
_LOCKED = """\
numpy==2.4.1 \\
    --hash=sha256:00
    # via
    #   -r some.in
    #   scikit-learn
scikit-learn==1.9.0 ; python_full_version < '3.14' \\
    --hash=sha256:00
    # via -r some.in
joblib==1.6.0 \\
    --hash=sha256:00
    # via scikit-learn
"""


def test_every_lock_file_matches() -> None:
    """What each `.in` file asks for is locked, and nothing that it asked for once."""
    assert [problem for each in lock.locks() for problem in lock.problems(each)] == []
    assert [problem for folder in lock.NPM for problem in lock.npm_problems(folder)] == []


@pytest.mark.parametrize(
    ("asked", "locked", "problem"),
    [
        (_ASKED, _LOCKED, None),
        (_ASKED + "pandas\n", _LOCKED, "lacks pandas"),
        ("numpy<2.4\nscikit-learn\n", _LOCKED, "holds numpy 2.4.1, some.in asks for <2.4"),
        ("numpy\n", _LOCKED, "holds scikit-learn for some.in, which does not ask for it"),
        # Locked only for something else: a direct use would go when that does.
        (_ASKED + "joblib\n", _LOCKED, "lacks joblib"),
        (_ASKED, _LOCKED.replace("1.6.0", "1.5.0"), "joblib 1.5.0, requirements.txt holds 1.6.0"),
    ],
)
def test_a_lock_file_that_does_not_match_is_told(
    tmp_path: Path, asked: str, locked: str, problem: str | None
) -> None:
    """A package that is missing, left over or of another version is named, with the remedy."""
    (tmp_path / "some.in").write_text(asked)
    (tmp_path / "some.txt").write_text(locked)
    (tmp_path / "requirements.txt").write_text("joblib==1.6.0 \\\n    --hash=sha256:00\n")
    found = lock.problems(lock.Lock("some.in", ("--constraint=requirements.txt",)), tmp_path)
    if problem is None:
        assert found == []
    else:
        assert len(found) == 1
        assert problem in found[0]
        assert found[0].endswith("run `make lock`")


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"aws-cdk": "2.1"}, None),
        ({"aws-cdk": "2.2"}, "does not hold aws-cdk 2.2"),
        ({"aws-cdk": "2.1", "left-pad": "1.3.0"}, "does not hold left-pad 1.3.0"),
        ({}, "was made for other versions"),
    ],
)
def test_a_lock_file_of_npm_that_does_not_match_is_told(
    tmp_path: Path, asked: dict[str, str], problem: str | None
) -> None:
    """A package that is missing, left over or of another version is noticed without npm."""
    packages = {
        "": {"devDependencies": {"aws-cdk": "2.1"}},
        "node_modules/aws-cdk": {"version": "2.1"},
    }
    (tmp_path / "package.json").write_text(json.dumps({"devDependencies": asked}))
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": packages}))
    found = " ".join(lock.npm_problems(tmp_path))
    assert found == "" if problem is None else problem in found
