"""What importing a function costs: its own third-party packages, no others, and no AWS call."""

import json
import os
import subprocess
import sys

import pytest

from tests.support import ROOT

pytestmark = pytest.mark.process

# What the environment of the tests has and a function may import only when its bundle brings it.
PACKAGES = {
    "pydantic": {"pydantic", "pydantic_core"},
    # scikit-learn imports pandas where there is one, and does without in the bundle.
    "scikit-learn": {"sklearn", "scipy", "numpy", "joblib", "pandas"},
    "jinja2": {"jinja2", "markupsafe"},
    "others": {
        *("xgboost", "requests", "httpx", "moto", "ministack", "aws_cdk", "sagemaker"),
        *("stacks", "localcloud", "spine", "data_prep"),
    },
}


@pytest.mark.parametrize(
    ("module", "brings"),
    [
        ("plan.handler", {"pydantic"}),
        ("predict.handler", set()),
        ("evaluate.handler", {"scikit-learn", "jinja2"}),
        ("cleanup.handler", set()),
        ("cleanup.sweep", set()),
        ("cleanup.teardown", set()),
        ("start.handler", set()),
    ],
)
def test_a_function_imports_what_its_bundle_brings(module: str, brings: set[str]) -> None:
    """A package too many is an ImportError on AWS; a client at import would need a region."""
    code = (
        f"import importlib, json, sys; importlib.import_module('lambda.{module}');"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "AWS_CONFIG_FILE": "/dev/null"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    imported = set(json.loads(done.stdout))
    unexpected = set().union(
        *(names for package, names in PACKAGES.items() if package not in brings)
    )
    assert not imported & unexpected
