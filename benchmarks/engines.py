"""A large CSV through each engine of preparation, as whole runs: `python -m benchmarks.engines`.

    .venv/bin/python -m benchmarks.engines [--megabytes 2000] [--engines lambda processing spark:2]
    .venv/bin/python -m benchmarks.engines --alone --engines processing --megabytes 4000

For each engine a local cloud of its own is started in a temporary folder, the app is deployed into
it by the real CDK command line, the file is uploaded, and an execution of the state machine
prepares it, trains two rounds on it, serves the model, transforms the test part and evaluates it.
Printed are how it ended, the seconds of the run and of its long states, the most memory that the
process had that prepared, and the one that evaluated (what a function's REPORT line says, or the
end of a job's log), the rows of each part as counted in the files, and the most memory of all
processes of the cloud together, whose S3 keeps every file in memory. A run is stopped before it
takes the machine's last 2 GB.

With `--alone` the function's own handler or the job's entry runs instead, as a process of its own
against the cloud's S3: that tells the processor time of the function, too, and needs less memory.

MB are millions of bytes.
"""

import argparse
import importlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import localcloud
from benchmarks.local_cloud import Watch, deploy
from localcloud import Cloud
from localcloud.sagemaker import usage
from spine import history
from stacks.settings import Settings

_BLOCK_ROWS = 200_000
_KEY = "uploads/large.csv"
# What is left of the machine's memory when a run is stopped.
_RESERVE = 2 << 30
_STATES = {
    "lambda": "Prepare the data",
    "processing": "Prepare on an instance",
    "spark": "Prepare with Spark",
}
# For the plan of a process of its own.
_EXECUTION = {"arn": "arn:aws:states:::execution:m:benchmark", "name": "benchmark"}


class App(NamedTuple):
    """A local cloud with the app and the file in it."""

    cloud: Cloud
    bucket: str
    machine: str


def main() -> int:
    """Write the file, run each engine, print a paragraph for each; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engines",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument(
        "--engines",
        nargs="+",
        default=["lambda", "processing"],
        metavar="ENGINE[:INSTANCES]",
        help="lambda, processing, spark, spark:2",
    )
    parser.add_argument("--alone", action="store_true", help="the preparation only")
    parser.add_argument("--child", choices=["lambda", "processing"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child)
        return 0
    localcloud.end_clouds_with_this_process()
    good = True
    with tempfile.TemporaryDirectory(prefix="spine-benchmark-") as folder:
        file = Path(folder) / "large.csv"
        rows = _write(file, options.megabytes * 10**6)
        print(
            f"{file.stat().st_size / 1e6:,.0f} MB, {rows:,} rows of 10 features and a label of two"
            f" classes; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before",
            flush=True,
        )
        for engine in options.engines:
            given = _input(engine)
            print(f"{engine}:", flush=True)
            with _app(file) as app:
                if options.alone:
                    good &= _alone(app, given)
                else:
                    good &= _run(app, given, rows)
    return 0 if good else 1


def _write(file: Path, size: int) -> int:
    """Write about so many bytes of random numbers; return the number of rows."""
    draw = np.random.default_rng(7)
    rows = 0
    with file.open("wb") as out:
        out.write(b"".join(b"x%d," % number for number in range(10)) + b"class\n")
        while out.tell() < size:
            values = draw.normal(50, 20, (_BLOCK_ROWS, 10))
            labels = np.where(values[:, 0] + draw.normal(0, 9, _BLOCK_ROWS) > 50, "yes", "no")
            lines = [
                "{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{}\n".format(
                    *row, label
                )
                for row, label in zip(values.tolist(), labels.tolist(), strict=True)
            ]
            # Each block eight times: to write is not what is measured.
            text = "".join(lines).encode() * 8
            out.write(text)
            rows += 8 * _BLOCK_ROWS
    return rows


def _input(engine: str) -> dict[str, Any]:
    """The execution input, but for the source's address."""
    name, _, count = engine.partition(":")
    preparation = {"engine": name, **({"instance_count": int(count)} if count else {})}
    return {
        "source": {"label": "class", "positive": "yes"},
        "preparation": preparation,
        "training": {"hyperparameters": {"num_round": 2}},
        # Two rounds need not be good.
        "evaluation": {"minimum": {}},
    }


@contextmanager
def _app(file: Path) -> Iterator[App]:
    """A new cloud, which has the memory that the one before it had."""
    home = Path(tempfile.mkdtemp(prefix="spine-benchmark-"))
    try:
        app = App(*deploy(home))
        app.cloud.client("s3").upload_file(str(file), app.bucket, _KEY)
        yield app
    finally:
        localcloud.stop(home)
        shutil.rmtree(home)


def _run(app: App, given: dict[str, Any], rows: int) -> bool:
    """Run the state machine and say how it went; return whether all is as it should be."""
    states = app.cloud.client("stepfunctions")
    given["source"]["uri"] = f"s3://{app.bucket}/{_KEY}"
    watch = Watch(app.cloud.pid)
    watch.start()
    begun = time.monotonic()
    arn = states.start_execution(
        stateMachineArn=app.machine, name="benchmark", input=json.dumps(given)
    )["executionArn"]
    while True:
        found = states.describe_execution(executionArn=arn)
        if found["status"] != "RUNNING":
            break
        if _available() < _RESERVE:
            watch.end()
            print(f"  stopped: the machine's memory is used up, {_held(watch)}")
            return False
        time.sleep(0.2)
    took = time.monotonic() - begun
    watch.end()
    print(f"  {found['status']} in {took:.0f} s", flush=True)
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    entered = history.read(event for page in pages for event in page["events"])
    now = datetime.now().astimezone()
    engine = given["preparation"]["engine"]
    for state in history.walk(entered):
        if state.name in (_STATES[engine], "Train the model", "Transform the batch", "Evaluate"):
            print(f"  {state.name}: {state.seconds(now):.0f} s")
    print(f"  All processes of the cloud: {_held(watch)}", flush=True)
    if found["status"] != "SUCCEEDED":
        print(f"  {found.get('error')}: {found.get('cause')}")
        return False
    used = _used_by_function(app, "prepare") if engine == "lambda" else _used_by_jobs(app)
    print(f"  {_STATES[engine]}: {used}")
    print(f"  Evaluate: {_used_by_function(app, 'evaluate')}")
    output = json.loads(found["output"])
    counted = _count(app, output["run"]["id"])
    print(f"  Rows: {counted}, in all {sum(counted.values()):,}", flush=True)
    return counted == output["data"]["counts"] and sum(counted.values()) == rows


def _available() -> int:
    """The bytes of memory that are free or can be made so; without /proc, as if there were all."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return sys.maxsize
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))


def _held(watch: Watch) -> str:
    held = sorted(watch.held.items(), key=lambda item: -item[1])
    kinds = ", ".join(f"{name} {size / 1e6:,.0f} MB" for name, size in held)
    return f"{watch.most_bytes / 1e6:,.0f} MB at most, then held by {kinds}"


def _used_by_function(app: App, step: str) -> str:
    """What the log of a step's only call says of the function's memory."""
    (group,) = (
        each["LoggingConfig"]["LogGroup"]
        for each in app.cloud.client("lambda").list_functions()["Functions"]
        if each["Handler"] == f"lambda.{step}.handler.handler"
    )
    (report,) = (line for line in _lines(app, group) if line.startswith("REPORT "))
    return _told(report, _figure(r"Max Memory Used: (\d+) MB", report))


def _used_by_jobs(app: App) -> str:
    """What the job's log says of its processes."""
    (line,) = (
        line
        for line in _lines(app, "/aws/sagemaker/ProcessingJobs")
        if line.startswith("The processes of this host") and _figure(r"([\d.]+) s", line) > 1
    )
    return _told(line, _figure(r"(\d+) MiB", line))


def _told(line: str, mebibytes: float) -> str:
    return f"{mebibytes * 1.048576:,.0f} MB: {line.strip()}"


def _lines(app: App, group: str) -> list[str]:
    pages = app.cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return [event["message"] for page in pages for event in page["events"]]


def _figure(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    return float(found[1]) if found else 0.0


def _count(app: App, run: str) -> dict[str, int]:
    """The rows of each part, counted in its files."""
    s3 = app.cloud.client("s3")
    counted = {}
    for part in ("train", "test", "validate"):
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=app.bucket, Prefix=f"runs/{run}/{part}/"
        )
        counted[part] = sum(
            chunk.count(b"\n")
            for page in pages
            for item in page["Contents"]
            for chunk in s3.get_object(Bucket=app.bucket, Key=item["Key"])["Body"].iter_chunks(
                1 << 20
            )
        )
    return counted


def _alone(app: App, given: dict[str, Any]) -> bool:
    """Run the preparation in a process of its own and say what it took."""
    engine = given["preparation"]["engine"]
    given["source"]["uri"] = f"s3://{app.bucket}/{_KEY}"
    plan = _plan(app, given)
    order = {"plan": plan, "hosts": []}
    folder = f"{plan['places']['preparation_key']}"
    app.cloud.client("s3").put_object(
        Bucket=app.bucket, Key=f"{folder}plan.json", Body=json.dumps(order)
    )
    begun = time.monotonic()
    done = subprocess.run(  # noqa: S603 (our own words only)
        [sys.executable, "-m", "benchmarks.engines", "--child", engine],
        env=app.cloud.process_environment()
        | {
            "ORDER": f"s3://{app.bucket}/{folder}plan.json",
            "RESULT": f"s3://{app.bucket}/{folder}result.json",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.monotonic() - begun
    if done.returncode:
        print(f"  {done.stdout}{done.stderr}")
        return False
    found = json.loads(done.stdout.splitlines()[-1])
    print(
        f"  {took:.0f} s, {found['seconds']:.0f} s of processor time, "
        f"{found['bytes'] / 1e6:,.0f} MB at most, rows {_count(app, plan['run']['id'])}",
        flush=True,
    )
    return True


def _plan(app: App, given: dict[str, Any]) -> dict[str, Any]:
    """What the plan step makes of an execution input."""
    model, engines, plan, instances = (
        importlib.import_module(f"lambda.plan.{name}")
        for name in ("model", "engines", "plan", "instances")
    )
    known = instances.known()
    rules = model.Rules(
        bucket=app.bucket,
        hosts=frozenset(),
        buckets=frozenset(),
        instances=known,
        allowed=frozenset().union(*known.values()),
        xgboost=Settings.model_fields["xgboost_version"].default,
    )
    checked = model.parse(given, rules)
    size = app.cloud.client("s3").head_object(Bucket=app.bucket, Key=_KEY)["ContentLength"]
    built: dict[str, Any] = plan.build(
        checked,
        preparation=engines.choose(
            checked.preparation,
            lambda: engines.Source(uri=checked.source.uri, size=size),
            training_instances=1,
            spark=True,
        ),
        execution_arn=_EXECUTION["arn"],
        execution_name=_EXECUTION["name"],
        started_at="",
        bucket=app.bucket,
        name_prefix="benchmark",
    )
    return built


def _child(engine: str) -> None:
    if engine == "lambda":
        s3 = importlib.import_module("lambda.common.s3")
        order = json.loads(s3.read(s3.parse_uri(os.environ["ORDER"])))
        os.environ["SOURCE_HOSTS"] = ""
        importlib.import_module("lambda.prepare.handler").handler({"plan": order["plan"]}, None)
    else:
        with tempfile.TemporaryDirectory() as folder:
            code = importlib.import_module("lambda.prepare_job.job").main(engine, Path(folder))
            if code:
                sys.exit(Path(folder, "output", "message").read_text())
    used = resource.getrusage(resource.RUSAGE_SELF)
    # `ru_maxrss` would begin with what the process had that started this one.
    peak = usage.peak(os.getpid()) or used.ru_maxrss
    print(json.dumps({"seconds": used.ru_utime + used.ru_stime, "bytes": peak}))


if __name__ == "__main__":
    sys.exit(main())
