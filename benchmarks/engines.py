"""A large CSV through the function's path and the processing path: `python -m benchmarks.engines`.

Needs a local cloud with the app deployed (`spine up`, `spine deploy`). The function's own handler
and the job's own entry run as processes of their own against the cloud's S3; what they took is what
the system accounts for them: processor time, and the most memory that was resident at once. A cap
on private memory (RLIMIT_DATA) counts what is reserved as well, stacks of threads among it, so it
must be larger.
"""

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from local import cloud as local_cloud
from local.cli import places

_MB = 1 << 20
_BLOCK_ROWS = 200_000


def main() -> None:
    """Write the file, run each path, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--cap", type=int, default=4096, help="MiB that each process may reserve")
    parser.add_argument("--child", choices=["lambda", "processing"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child, options.cap)
        return
    cloud = local_cloud.running(places.home())
    if cloud is None:
        sys.exit("No local cloud runs here. Start and deploy one: spine up, spine deploy")
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for stack in cloud.client("cloudformation").describe_stacks()["Stacks"]
        for output in stack.get("Outputs", [])
    }
    bucket, s3 = outputs["BucketName"], cloud.client("s3")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large.csv"
        rows = _write(file, options.megabytes * 10**6)
        size = file.stat().st_size
        s3.upload_file(str(file), bucket, "uploads/large.csv")
    print(f"{size / 1e6:,.0f} MB, {rows:,} rows of 10 features; cap {options.cap} MiB", flush=True)
    for engine in ("lambda", "processing"):
        plan = _plan(bucket, engine)
        body = json.dumps({"plan": plan, "hosts": []})
        s3.put_object(Bucket=bucket, Key=f"{plan['prefix']}/preparation/plan.json", Body=body)
        start = f"s3://{bucket}/{plan['prefix']}/preparation"
        begun = time.monotonic()
        done = subprocess.run(  # noqa: S603 (our own words only)
            [
                sys.executable,
                "-m",
                "benchmarks.engines",
                "--child",
                engine,
                "--cap",
                str(options.cap),
            ],
            env=cloud.process_environment()
            | {"ORDER": f"{start}/plan.json", "RESULT": f"{start}/result.json"},
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.monotonic() - begun
        if done.returncode:
            sys.exit(f"{engine}: {done.stdout}{done.stderr}")
        found = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{engine}: {took:.0f} s, {found['seconds']:.0f} s of processor time, "
            f"{found['megabytes']:,.0f} MB at most, counts {found['counts']}",
            flush=True,
        )


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


def _plan(bucket: str, engine: str) -> dict[str, Any]:
    limits = importlib.import_module("lambda.plan.engines").LIMITS[engine]
    return {
        "run": {"id": f"benchmark-{engine}", "name": f"spine-dev-benchmark-{engine}"},
        "bucket": bucket,
        "prefix": f"runs/benchmark-{engine}",
        "source": {
            "uri": f"s3://{bucket}/uploads/large.csv",
            "version_id": None,
            "member": None,
            "sha256": None,
            "label": "class",
            "positive": "yes",
            "rest": False,
            "drop": [],
            "rename": {},
            "categorical": [],
            "missing": "refuse",
            "allow_leakage": False,
            "format": {"kind": None, "delimiter": None, "header": None, "encoding": None},
        },
        "task": "binary",
        "training": {"hyperparameters": {"objective": "binary:logistic"}},
        "split": {"train": 0.8, "test": 0.1, "validate": 0.1, "seed": 42},
        "preparation": {"engine": engine, "limits": limits},
    }


def _child(engine: str, cap: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (cap * _MB, cap * _MB))
    if engine == "lambda":
        s3 = importlib.import_module("lambda.common.s3")
        order = json.loads(s3.read(s3.parse_uri(os.environ["ORDER"])))
        os.environ["SOURCE_HOSTS"] = ""
        handler = importlib.import_module("lambda.prepare.handler").handler
        counts = handler({"plan": order["plan"]}, None)["counts"]
    else:
        with tempfile.TemporaryDirectory() as folder:
            code = importlib.import_module("lambda.prepare_job.job").main(engine, Path(folder))
            message = Path(folder, "output", "message")
            if code:
                sys.exit(message.read_text())
        counts = None
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "seconds": used.ru_utime + used.ru_stime,
        "megabytes": used.ru_maxrss / 1000,
        "counts": counts,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
