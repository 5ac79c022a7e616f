"""One suite for the three engines: the same files, the same refusals, the same results.

The function is the deployed one; the job's code runs in its own interpreter, for Spark with real
executors. Whole runs go through the state machine and SageMaker's processing jobs.
"""

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from data_prep import FormatOptions, Wanted
from localcloud.sagemaker.containers import spark
from spine.shipped import load
from tests.data_prep.bad_files import BAD
from tests.data_prep.building import parquet
from tests.e2e.conftest import Deployment
from tests.support import ROOT, SAMPLE

pytestmark = pytest.mark.e2e

ENGINES = ("lambda", "processing", "spark")


class Case(NamedTuple):
    """A file, its name, and what is asked of it."""

    content: bytes
    name: str
    options: dict[str, Any]


def _rows(seed: int, *, delimiter: str = ",", gaps: bool = False, quote: str = "") -> str:
    draw = random.Random(seed)  # noqa: S311 (seeded, so that a failure can be repeated)
    lines = [delimiter.join(("x", "city", "n", "class"))]
    for row in range(600):
        x = "" if gaps and row % 50 == 3 else f"{draw.gauss(50, 20):.4f}"
        city = f"{quote}{draw.choice(['Lyon', 'Brest', 'Nice'])}{quote}"
        lines.append(delimiter.join((x, city, str(draw.randrange(90)), draw.choice("aab"))))
    return "\n".join([*lines, ""])


_ASKED = {"positive": "a", "categorical": ("city",)}
GOOD = {
    "arff": Case(SAMPLE.read_bytes(), "sample.arff", {}),
    "gaps": Case(_rows(1, gaps=True).encode(), "a.csv", {**_ASKED, "missing": "pass"}),
    "quoted, Windows": Case(
        _rows(2, delimiter=";", quote='"').replace("\n", "\r\n").encode("utf-16"), "a.csv", _ASKED
    ),
    "gzip": Case(gzip.compress(_rows(3).encode(), mtime=0), "a.csv.gz", _ASKED),
    "several classes": Case(
        _rows(5).encode(),
        "a.csv",
        {"label": "city", "task": "multiclass", "drop": ("class",), "objective": "multi:softprob"},
    ),
    "a number": Case(
        _rows(6).encode(),
        "a.csv",
        {
            "label": "n",
            "task": "regression",
            "categorical": ("city", "class"),
            "objective": "reg:squarederror",
        },
    ),
    "parquet": Case(
        parquet(a=[float(row % 7) for row in range(40)], b=list(range(40))),
        "a.parquet",
        {},
    ),
}
_OPTIONS = {*Wanted._fields, *FormatOptions._fields, "member", "sha256"}


# Found in the file as a whole, in a block of it, in the label, in the split, and in a column. That
# several machines refuse whatever one refuses is also shown without Spark, by every bad input there
# is (tests/data_prep/bad_files.py).
_ERRORS = (
    *("EmptyFileError", "ChecksumError", "EncodingError", "DamagedArchiveError"),
    *("RaggedRowError", "QuotingError", "MissingValueError", "NotANumberError", "NotFiniteError"),
    *("UndeclaredValueError", "LabelNotFoundError", "PositiveNotFoundError", "OneClassError"),
    *("TooManyClassesError", "TooFewRowsError", "LeakageError"),
)


def _first_of(error: str) -> tuple[str, Case]:
    return next(
        (name, Case(bad.content, bad.name, dict(bad.options)))
        for name, bad in BAD.items()
        if bad.error.__name__ == error and set(bad.options) <= _OPTIONS
    )


REFUSED = dict(map(_first_of, _ERRORS))


def wanted_hyperparameters(wanted: dict[str, Any]) -> dict[str, str]:
    """Those that the preparation reads."""
    found = {"objective": wanted["objective"] or "binary:logistic"}
    if wanted["num_class"] is not None:
        found["num_class"] = str(wanted["num_class"])
    return found


def plan_for(app: Deployment, engine: str, number: int, case: Case) -> dict[str, Any]:
    """The plan of a run that prepares a case, with the file in its place."""
    key = f"uploads/engines/{number}/{case.name}"
    app.cloud.client("s3").put_object(Bucket=app.bucket, Key=key, Body=case.content)
    limits = load("plan.engines").LIMITS[engine]
    form = {
        name: case.options.get(name, default) for name, default in FormatOptions()._asdict().items()
    }
    wanted = {**Wanted()._asdict(), **case.options}
    wanted["rename"] = dict(wanted["rename"])
    return {
        "run": {"id": f"{engine}-{number}", "name": f"spine-dev-{engine}-{number}"},
        "bucket": app.bucket,
        "prefix": f"runs/{engine}-{number}",
        "source": {
            **{name: value for name, value in wanted.items() if name not in form},
            "uri": f"s3://{app.bucket}/{key}",
            "version_id": None,
            "member": case.options.get("member"),
            "sha256": case.options.get("sha256"),
            "format": form,
        },
        "task": wanted["task"],
        "training": {
            "hyperparameters": wanted_hyperparameters(wanted),
            "instance_type": "ml.m5.xlarge",
            "instance_count": 1,
        },
        "split": {"train": 0.8, "test": 0.1, "validate": 0.1, "seed": 42},
        "preparation": {
            "engine": engine,
            "instance_count": 2,
            "shards": 2,
            "distribution": "FullyReplicated",
            "limits": limits,
        },
    }


def _by_function(app: Deployment, plans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    client = app.cloud.client("lambda")
    (name,) = (
        each["FunctionName"]
        for each in client.list_functions()["Functions"]
        if each["Handler"] == "lambda.prepare.handler.handler"
    )
    results = []
    for plan in plans:
        answer = client.invoke(FunctionName=name, Payload=json.dumps({"plan": plan}).encode())
        payload = json.loads(answer["Payload"].read())
        failed = "FunctionError" in answer
        results.append({"failure": payload} if failed else {"prepared": payload})
    return results


def _by_job(
    app: Deployment, engine: str, plans: list[dict[str, Any]], folder: Path
) -> list[dict[str, Any]]:
    s3 = app.cloud.client("s3")
    orders = []
    for plan in plans:
        place = f"{plan['prefix']}/preparation"
        body = json.dumps({"plan": plan, "hosts": []})
        s3.put_object(Bucket=app.bucket, Key=f"{place}/plan.json", Body=body)
        start = f"s3://{app.bucket}/{place}"
        orders.append({"ORDER": f"{start}/plan.json", "RESULT": f"{start}/result.json"})
    file = folder / engine
    file.write_text("\n".join(map(json.dumps, orders)))
    words = [sys.executable]
    path = os.environ["PATH"]
    if engine == "spark":
        (folder / "config").mkdir()
        config = {"current_host": "algo-1", "hosts": ["algo-1"]}
        (folder / "config" / "resourceconfig.json").write_text(json.dumps(config))
        words = [str(spark.python()), str(spark.PROGRAMS / "smspark-submit")]
    environment = app.cloud.environment() | {"PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*words, str(ROOT / "tests" / "e2e" / "prepare_all.py"), engine, str(file)],
        check=False,
        capture_output=True,
        text=True,
        env={**environment, "SAGEMAKER_BASE_DIR": str(folder)},
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    results = []
    for plan in plans:
        key = f"{plan['prefix']}/preparation/result.json"
        result = json.loads(s3.get_object(Bucket=app.bucket, Key=key)["Body"].read())
        if "failure" in result:
            result = {"failure": json.loads(result["failure"]["Cause"])}
        results.append(result)
    return results


@pytest.fixture(scope="module")
def results(
    app: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, dict[str, Any]]]:
    """What became of every case, by engine."""
    cases = {**GOOD, **REFUSED}
    found = {}
    for engine in ENGINES:
        plans = [plan_for(app, engine, at, case) for at, case in enumerate(cases.values())]
        if engine == "lambda":
            ended = _by_function(app, plans)
        else:
            ended = _by_job(app, engine, plans, tmp_path_factory.mktemp(engine))
        found[engine] = {
            name: {**result, "prefix": plan["prefix"]}
            for name, result, plan in zip(cases, ended, plans, strict=True)
        }
    return found


def part(app: Deployment, prefix: str, folder: str) -> list[str]:
    """The rows of a part, from however many files."""
    s3 = app.cloud.client("s3")
    listed = s3.list_objects_v2(Bucket=app.bucket, Prefix=f"{prefix}/{folder}/")
    keys = sorted(each["Key"] for each in listed.get("Contents", []))
    return [
        row
        for key in keys
        for row in app.text(f"s3://{app.bucket}/{key}").splitlines(keepends=True)
    ]


@pytest.mark.parametrize("engine", ENGINES[1:])
@pytest.mark.parametrize("case", GOOD)
def test_every_engine_prepares_the_same(
    app: Deployment, results: dict[str, dict[str, dict[str, Any]]], case: str, engine: str
) -> None:
    """The rows of each part, the counts, the profile; Spark's rows are in the file's order."""
    alone, other = results["lambda"][case], results[engine][case]
    assert "prepared" in alone, alone
    assert "prepared" in other, other
    for name, value in alone["prepared"].items():
        if name not in ("engine", "profile", "source"):
            assert other["prepared"][name] == value, name
    assert other["prepared"]["engine"] == engine
    profiles = [json.loads(app.text(each["prepared"]["profile"])) for each in (alone, other)]
    if engine == "spark":
        assert profiles[1].pop("order") == "file"
        assert profiles[0].pop("order") == "shuffled"
    assert profiles[0] == profiles[1]
    for folder in ("train", "test", "validate", "batch-in"):
        rows = [part(app, each["prefix"], folder) for each in (alone, other)]
        assert rows[0], folder
        if engine == "spark":
            assert sorted(rows[0]) == sorted(rows[1]), folder
        else:
            assert rows[0] == rows[1], folder
    labelled, bare = (part(app, other["prefix"], name) for name in ("test", "batch-in"))
    assert [row.partition(",")[2] for row in labelled] == bare


@pytest.mark.parametrize("engine", ENGINES[1:])
@pytest.mark.parametrize("case", REFUSED)
def test_bad_data_fails_with_the_same_error_on_each_engine(
    results: dict[str, dict[str, dict[str, Any]]], case: str, engine: str
) -> None:
    """One input for each way to be refused: the same name, the same message."""
    alone, other = results["lambda"][case]["failure"], results[engine][case]["failure"]
    assert alone["errorType"] == BAD[case].error.__name__
    for name in ("errorType", "errorMessage"):
        assert alone[name] == other[name]


@pytest.mark.parametrize("engine", ["processing", "spark"])
def test_whole_runs_with_the_real_data_succeed(app: Deployment, engine: str) -> None:
    """The notebook's data through a job, trained on two instances that share Spark's shards."""
    given = {
        "preparation": {"engine": engine},
        "training": {"instance_count": 2 if engine == "spark" else 1},
        "endpoint": {"enabled": False},
    }
    words = ("run", "--source", str(SAMPLE), "--input", json.dumps(given), "--json")
    done = app.spine(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    output = json.loads(done.stdout)
    job = output["preparation"].pop("job")
    assert job.rpartition("-")[0] == output["run"]["training_job"].rpartition("-")[0]
    assert output["preparation"] == {
        "engine": engine,
        "reason": "the execution input asks for it",
        "instance_type": "ml.m5.xlarge" if engine == "processing" else "ml.m5.2xlarge",
        "instance_count": 1 if engine == "processing" else 2,
    }
    assert output["data"]["counts"] == {"train": 248, "test": 31, "validate": 31}
    assert output["data"]["positives"] == {"train": 168, "test": 21, "validate": 21}
    assert output["metrics"]["auc"] >= 0.85
    sagemaker = app.cloud.client("sagemaker")
    described = sagemaker.describe_training_job(TrainingJobName=output["run"]["training_job"])
    channel = described["InputDataConfig"][0]["DataSource"]["S3DataSource"]
    if engine == "spark":
        assert channel["S3DataDistributionType"] == "ShardedByS3Key"
        s3 = app.cloud.client("s3")
        prefix = channel["S3Uri"].partition(f"{app.bucket}/")[2]
        shards = s3.list_objects_v2(Bucket=app.bucket, Prefix=prefix)["Contents"]
        assert len(shards) >= 2
        left = s3.list_objects_v2(
            Bucket=app.bucket, Prefix=f"runs/{output['run']['id']}/preparation/"
        )["Contents"]
        assert {each["Key"].rpartition("/")[2] for each in left} == {
            "plan.json",
            f"{job}.json",
        }
    else:
        # One instance writes what the function writes, so that the model is the notebook's.
        assert round(output["metrics"]["auc"], 4) == 0.8905
    assert app.left() == {}


def test_a_refused_run_ends_with_the_jobs_own_error(app: Deployment, tmp_path: Path) -> None:
    """What a person sees does not depend on where the file was read."""
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b,class\n1,2,Abnormal\n3,x,Normal\n")
    said = {}
    for engine in ("lambda", "processing"):
        given = json.dumps({"preparation": {"engine": engine}})
        done = app.spine("run", "--source", str(bad), "--input", given, "--json")
        assert done.returncode != 0
        said[engine] = app.describe(app.executions()[0])
    for name in ("error", "status"):
        assert said["lambda"][name] == said["processing"][name]
    causes = [json.loads(each["cause"])["errorMessage"] for each in said.values()]
    assert causes[0] == causes[1]
    assert "line 3, column 'b'" in causes[0]
