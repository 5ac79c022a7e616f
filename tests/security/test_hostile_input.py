# ruff: noqa: RUF001 (letters that look like others are what some of these tests are about)
"""Whoever may start a run can do no more by it than run the pipeline on data they may use."""

import copy
import csv
import io
import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from spine.shipped import load
from tests.evaluation import evaluation
from tests.support import ROOT, image_versions

BUCKET = "spine-dev-storage-data"
HOST = "archive.ics.uci.edu"
MINE = f"s3://{BUCKET}/uploads/file.csv"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:latest"
ROLE = "arn:aws:iam::111122223333:role/Admin"
KNOWN = frozenset({"ml.m5.large", "ml.m5.xlarge", "ml.p4d.24xlarge"})
EXPRESSION = "{% $eval('1') %}"


def rules() -> Any:
    """What a deployment allows."""
    return load("plan.rules").Rules(
        bucket=BUCKET,
        hosts=frozenset({HOST}),
        buckets=frozenset({"partner"}),
        instances=load("plan.instances").known(),
        allowed=frozenset({"ml.m5.large", "ml.m5.xlarge"}),
        versions=image_versions(),
    )


def source(uri: object, **rest: object) -> dict[str, Any]:
    """An input with this source."""
    return {"source": {"uri": uri, **rest}}


def deep(levels: int) -> dict[str, Any]:
    """An object in an object in an object."""
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"source": value}
    return value


# Each must be refused by the first state, before anything is created or fetched.
HOSTILE: dict[str, Any] = {
    # Wrong types
    "a list": [],
    "a string": "{}",
    "a number": 7,
    "a flag": True,
    "a source that is a string": {"source": MINE},
    "a list for a source": {"source": [MINE]},
    "a number for an address": source(7),
    "an object for an address": source({"Fn::Sub": MINE}),
    "text for a flag": {"endpoint": {"enabled": "true"}},
    "a number for a flag": {"endpoint": {"enabled": 1}},
    "text for a number": {"split": {"train": "0.8"}},
    "a flag for a number": {"training": {"instance_count": True}},
    "no number": {"evaluation": {"threshold": float("nan")}},
    "an endless number": {"evaluation": {"threshold": float("inf")}},
    "null for a section": {"training": None},
    "a seed that is no integer": {"split": {"seed": 1.5}},
    # Huge
    "a megabyte of address": source("s3://" + BUCKET + "/uploads/" + "x" * 1_000_000),
    "a megabyte of label": source(MINE, label="x" * 1_000_000),
    "a thousand fields": {f"field{number}": 1 for number in range(1000)},
    "depth": deep(400),
    "a thousand hyperparameters": {
        "training": {"hyperparameters": {f"h{number}": 1 for number in range(1000)}}
    },
    "a year of training": {"training": {"max_runtime_seconds": 31_536_000}},
    "a thousand instances": {"training": {"instance_count": 1000}},
    "an endpoint for ever": {"endpoint": {"ttl_minutes": 10**9}},
    "a negative time to live": {"endpoint": {"ttl_minutes": -1}},
    "a huge integer": {"training": {"hyperparameters": {"num_round": 10**30}}},
    # Fields that are not there to be set
    "an image": {"training": {"image": IMAGE}},
    "an image as SageMaker calls it": {"AlgorithmSpecification": {"TrainingImage": IMAGE}},
    "a role": {"training": {"role": ROLE}},
    "a role at the top": {"RoleArn": ROLE},
    "a run id": {"run": {"id": "other"}},
    "a bucket": {"bucket": "other"},
    "places": {"places": {"model": "s3://other/model/"}},
    "a prefix": {"prefix": "runs/other"},
    "tags": {"tags": [{"Key": "spine:stage", "Value": "prod"}]},
    "an environment": {"training": {"environment": {"PYTHONSTARTUP": "x"}}},
    "a network": {"training": {"EnableNetworkIsolation": False}},
    "a container's entry point": {"training": {"hyperparameters": {"sagemaker_program": "x.py"}}},
    "a submit directory": {
        "training": {"hyperparameters": {"sagemaker_submit_directory": "s3://other/x.tar.gz"}}
    },
    "a prototype": {"__proto__": {"endpoint": {"keep": True}}},
    "a dunder": {"source": {"__class__": "x"}},
    # Other places
    "another account's bucket": source("s3://victim-bucket/data.csv"),
    "a bucket that starts like ours": source(f"s3://{BUCKET}-evil/uploads/file.csv"),
    "a bucket that ends like ours": source(f"s3://evil-{BUCKET}/uploads/file.csv"),
    "another run's data": source(f"s3://{BUCKET}/runs/other/train/train.csv"),
    "another run's model": source(f"s3://{BUCKET}/runs/other/model/x/output/model.tar.gz"),
    "an access point": source("s3://arn:aws:s3:us-east-1:111122223333:accesspoint/x/file.csv"),
    "another host": source("https://evil.example/data.csv"),
    "a host that ends like ours": source(f"https://evil{HOST}/data.csv"),
    "a host below ours": source(f"https://{HOST}.evil.example/data.csv"),
    "credentials that look like our host": source(f"https://{HOST}@evil.example/data.csv"),
    "credentials": source(f"https://user:password@{HOST}/data.csv"),
    "a port": source(f"https://{HOST}:8443/data.csv"),
    "no encryption": source(f"http://{HOST}/data.csv"),
    "the instance metadata": source("http://169.254.169.254/latest/meta-data/iam/"),
    "the metadata over https": source("https://169.254.169.254/latest/meta-data/"),
    "the loopback address": source("https://127.0.0.1/data.csv"),
    "the loopback name": source("https://localhost/data.csv"),
    "a file": source("file:///etc/passwd"),
    "another scheme": source("gopher://evil.example/1"),
    "data in the address": source("data:text/csv,1,2,3"),
    "a fragment": source(f"https://{HOST}/data.csv#x"),
    # Paths and names
    "a way up": source(f"s3://{BUCKET}/uploads/../runs/other/train/train.csv"),
    "a way up from the start": source(f"s3://{BUCKET}/../victim/data.csv"),
    "an encoded way up as bucket": source("s3://%2e%2e/data.csv"),
    "no key": source(f"s3://{BUCKET}/"),
    "a folder that starts like ours": source(f"s3://{BUCKET}/uploads-evil/file.csv"),
    "a control character": source(f"s3://{BUCKET}/uploads/a\x00b.csv"),
    "a new line in an address": source(f"https://{HOST}/data.csv\r\nHost: evil.example"),
    "a new line in a key": source(f"s3://{BUCKET}/uploads/a\r\nb.csv"),
    "a new line in a host": source(f"https://{HOST}\r\n.evil.example/data.csv"),
    "a full-width host": source("https://ａrchive.ics.uci.edu/data.csv"),
    "a Cyrillic host": source("https://аrchive.ics.uci.edu/data.csv"),
    "a right-to-left host": source("https://\u202eudе.icu.sci.evihcra/data.csv"),
    "a full-width solidus": source(f"https://evil.example／{HOST}/data.csv"),
    "a back slash": source(f"https://evil.example\\@{HOST}/data.csv"),
    # Expressions and instance types
    "an expression as address": source(EXPRESSION),
    "an expression as a number": {"evaluation": {"threshold": EXPRESSION}},
    "an expression as instance": {"training": {"instance_type": EXPRESSION}},
    "an expression as objective": {"training": {"hyperparameters": {"objective": EXPRESSION}}},
    "an instance not allowed": {"training": {"instance_type": "ml.p4d.24xlarge"}},
    "an instance of another letter": {"training": {"instance_type": "ml.m5.lаrge"}},
    "an instance and a blank": {"training": {"instance_type": "ml.m5.large "}},
    "an instance in an array": {"training": {"instance_type": ["ml.m5.large"]}},
    "a metric nobody knows": {"evaluation": {"minimum": {"__import__('os')": 0.5}}},
    "a hash that is none": source(MINE, sha256="../../x"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_input_is_refused_before_anything_is_made(name: str) -> None:
    """Refused in the first state, with the error that the state machine knows as the user's."""
    with pytest.raises(load("plan.refusal").InvalidInputError) as refused:
        load("plan.execution_input").parse(copy.deepcopy(HOSTILE[name]), rules())
    # What a refusal repeats of a value must not fill the history or the log.
    assert len(str(refused.value)) < 30_000


def test_there_are_enough_of_them() -> None:
    """Sixty and more, each refused above."""
    assert len(HOSTILE) >= 60


def test_an_expression_in_a_value_stays_text(assembly_definition: str) -> None:
    """Step Functions evaluates what the definition holds, never what a variable holds."""
    given = load("plan.execution_input").parse(source(MINE, label=EXPRESSION), rules())
    assert json.loads(json.dumps(given.source.label)) == EXPRESSION
    # The only function that would evaluate text is not used.
    assert "$eval(" not in assembly_definition


@pytest.fixture(scope="module")
def assembly_definition() -> str:
    """The source of all states."""
    rooms = ("machine", "pipelines", "steps")
    files = sorted(each for room in rooms for each in (ROOT / "stacks" / room).glob("*.py"))
    assert len(files) > len(rooms)
    return "\n".join(each.read_text() for each in files)


def test_names_made_of_hostile_execution_names_are_safe() -> None:
    """Whatever a run is called, its folder and its resources have plain names."""
    names = ("../../x", "a\r\nb", "{% $x %}", "<script>", "ａ" * 80, "-" * 80, "x" * 80, "")
    arn = "arn:aws:states:us-east-1:000000000000:execution:Machine:x"
    for name in names:
        made = load("common.names").run_id(name, arn)
        assert re.fullmatch(r"[a-z0-9](-*[a-z0-9])*", made), (name, made)
        assert len(made) <= 40, name


def test_nothing_of_ours_unpickles() -> None:
    """Model files are read by XGBoost's own loader; a pickle would run whatever it holds."""
    unpicklers = re.compile(r"\b(pickle|joblib|cloudpickle|dill|shelve|marshal)\b")
    allow_pickle = re.compile(r"allow_pickle\s*=\s*True|\byaml\.load\(")
    for room in ("lambda", "data_prep", "localcloud", "spine", "stacks"):
        for path in sorted((ROOT / room).rglob("*.py")):
            code = "\n".join(
                line.partition("#")[0]
                for line in path.read_text().splitlines()
                if line.lstrip().startswith(("import ", "from ")) or "=" in line or "(" in line
            )
            imports = [
                line
                for line in code.splitlines()
                if line.lstrip().startswith(("import ", "from ")) and unpicklers.search(line)
            ]
            assert imports == [], path
            assert not allow_pickle.search(code), path


class _Bomb:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return (Path.write_text, (self._mark, "unpickled"))


def test_a_pickled_model_is_refused_and_never_unpickled(tmp_path: Path) -> None:
    """The container's loader takes the file for no model; what the pickle holds never runs."""
    xgboost = pytest.importorskip("xgboost")
    mark = tmp_path / "mark"
    model = tmp_path / "xgboost-model"
    model.write_bytes(pickle.dumps(_Bomb(mark)))
    # Its own error message quotes the bytes of the file, which may be no text.
    with pytest.raises((xgboost.core.XGBoostError, UnicodeDecodeError)):
        xgboost.Booster(model_file=str(model))
    assert not mark.exists()
    pickle.loads(model.read_bytes())  # noqa: S301 (the proof that the bomb works)
    assert mark.read_text() == "unpickled"


FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", '=HYPERLINK("x")']


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_never_reaches_the_file_that_opens_in_a_spreadsheet(cell: str) -> None:
    """predictions.csv is made of labels and probabilities: anything else is refused."""
    joining = load("evaluate.join")
    for objective in ("binary:logistic", "multi:softmax", "reg:squarederror"):
        form = load("algorithms").DEFAULT.answer(objective, 2)
        with pytest.raises(joining.BatchOutputError):
            joining.join([f"{cell},1"], ["0.5"], form)
        with pytest.raises(joining.BatchOutputError):
            joining.join(["1,1"], [cell], form)


def test_predictions_are_numbers_only() -> None:
    """Whatever the features hold, no cell below the header starts a formula."""
    scored = evaluation(["1,=cmd|'!A0", "0,@SUM(1)"], ["0.5", "1e-09"], threshold=0.5)
    written = load("evaluate.predictions").lines(scored.columns())
    header, *rows = csv.reader(io.StringIO("".join(written)))
    assert header == ["row", "label", "probability", "class"]
    assert len(rows) == 2
    assert all(re.fullmatch(r"[0-9][0-9.e-]*", cell) for row in rows for cell in row)
