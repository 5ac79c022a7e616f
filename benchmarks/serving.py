"""Serving and batch transform on the local SageMaker beside XGBoost itself.

    .venv/bin/python -m benchmarks.serving [--rows N]

Everything is measured in one run on one machine, so the ratios mean something where the seconds do
not: a single row's median latency over loopback against `Booster.inplace_predict` of the same row,
the rows a second of a 6 MB CSV payload, how soon an endpoint is InService, and a transform of a
million rows against reading, predicting and writing the same file in this process.
"""

import argparse
import http.client
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pyarrow.csv
import xgboost

import localcloud

_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
_ROLE = "arn:aws:iam::000000000000:role/benchmark"
_BUCKET = "benchmark"
_PAYLOAD = 6 * 1024**2
_COLUMNS = 6


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the batch transform")
    options = parser.parse_args()
    localcloud.end_clouds_with_this_process()
    with tempfile.TemporaryDirectory(prefix="spine-benchmark-") as place:
        folder = Path(place)
        cloud = localcloud.start(folder / "home")
        service = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            [
                *(sys.executable, "-m", "localcloud.sagemaker", "--port", "0"),
                *("--jobs", str(folder / "jobs"), "--aws-endpoint", cloud.endpoint_url),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert service.stdout is not None  # noqa: S101 (it is a pipe)
            url = service.stdout.readline().strip()
            _measure(cloud, url, folder, options.rows)
        finally:
            service.terminate()
            service.wait()
            localcloud.stop(folder / "home")


def _measure(cloud: localcloud.Cloud, url: str, folder: Path, rows: int) -> None:
    booster, table = _model(folder, rows)
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=_BUCKET)
    s3.upload_file(str(folder / "model.tar.gz"), _BUCKET, "model.tar.gz")
    make: Any = boto3.session.Session().client
    client = make(
        "sagemaker",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (nothing checks it)
    )
    client.create_model(
        ModelName="m",
        ExecutionRoleArn=_ROLE,
        PrimaryContainer={"Image": _IMAGE, "ModelDataUrl": f"s3://{_BUCKET}/model.tar.gz"},
    )
    print(f"{'':44}{'here':>12}{'raw':>12}{'':>4}")
    _line("endpoint InService, seconds", _in_service(client), None, "goal < 1")
    port = int(url.rpartition(":")[2])
    _single_row(port, booster, table)
    _payload(port, booster, table)
    client.delete_endpoint(EndpointName="e")
    _transform(client, s3, booster, table, folder)


def _model(folder: Path, rows: int) -> tuple[xgboost.Booster, np.ndarray[Any, Any]]:
    random = np.random.default_rng(1)
    table = random.normal(size=(rows, _COLUMNS)).round(6).astype(np.float32)
    label = (table[:, 0] - table[:, 3] > 0).astype(np.float32)
    matrix = xgboost.DMatrix(table[:10_000], label[:10_000])
    booster = xgboost.train({"objective": "binary:logistic"}, matrix, 42)
    booster.set_param({"nthread": 1})
    booster.save_model(folder / "xgboost-model.ubj")
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(folder / "xgboost-model.ubj", arcname="xgboost-model")
    return booster, table


def _in_service(client: Any) -> float:
    client.create_endpoint_config(
        EndpointConfigName="e",
        ProductionVariants=[
            {
                "VariantName": "v",
                "ModelName": "m",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )
    started = time.perf_counter()
    client.create_endpoint(EndpointName="e", EndpointConfigName="e")
    while (status := client.describe_endpoint(EndpointName="e")["EndpointStatus"]) == "Creating":
        time.sleep(0.01)
    if status != "InService":
        raise RuntimeError(client.describe_endpoint(EndpointName="e")["FailureReason"])
    return time.perf_counter() - started


def _single_row(port: int, booster: xgboost.Booster, table: np.ndarray[Any, Any]) -> None:
    row, connection = _csv(table[:1]), http.client.HTTPConnection("127.0.0.1", port)
    here = _median(lambda: _invoke(connection, row), 2000)
    raw = _median(lambda: booster.inplace_predict(table[:1]), 2000)
    note = f"{(here - raw) * 1000:+.2f} ms  goal within 1 ms"
    _line("single row, median ms", here * 1000, raw * 1000, note)


def _payload(port: int, booster: xgboost.Booster, table: np.ndarray[Any, Any]) -> None:
    length = _csv(table[:1000])
    rows = min(len(table), int(_PAYLOAD / (len(length) / 1000)) - 100)
    body, connection = _csv(table[:rows]), http.client.HTTPConnection("127.0.0.1", port)
    here = rows / _median(lambda: _invoke(connection, body), 7)

    def raw_once() -> None:
        features = _read(pyarrow.BufferReader(body))
        "\n".join(map(str, booster.inplace_predict(features).tolist()))

    raw = rows / _median(raw_once, 7)
    _line(f"{len(body) / 1e6:.1f} MB payload, rows a second", here, raw, "goal >= 150000")


def _transform(
    client: Any, s3: Any, booster: xgboost.Booster, table: np.ndarray[Any, Any], folder: Path
) -> None:
    source = folder / "rows.csv"
    source.write_bytes(_csv(table))
    s3.upload_file(str(source), _BUCKET, "in/rows.csv")

    def raw_once() -> None:
        predictions = booster.inplace_predict(_read(source))
        (folder / "raw.out").write_text("\n".join(map(str, predictions.tolist())) + "\n")

    raw = _median(raw_once, 3)
    data = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{_BUCKET}/in/"}}
    started = time.perf_counter()
    client.create_transform_job(
        TransformJobName="t",
        ModelName="m",
        BatchStrategy="MultiRecord",
        MaxPayloadInMB=6,
        TransformInput={"DataSource": data, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{_BUCKET}/out/", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    while (job := client.describe_transform_job(TransformJobName="t"))[
        "TransformJobStatus"
    ] == "InProgress":
        time.sleep(0.02)
    here = time.perf_counter() - started
    if job["TransformJobStatus"] != "Completed":
        raise RuntimeError(job["FailureReason"])
    body = s3.get_object(Bucket=_BUCKET, Key="out/rows.csv.out")["Body"].read()
    if body.split() != (folder / "raw.out").read_bytes().split():
        raise RuntimeError("the transform's predictions are not XGBoost's")
    note = f"{here / raw:.2f} times  goal within 3"
    _line(f"transform of {len(table)} rows, seconds", here, raw, note)


def _read(source: Any) -> np.ndarray[Any, Any]:
    """A CSV file or buffer as a matrix, by the fastest reader there is, on one thread."""
    options = pyarrow.csv.ReadOptions(autogenerate_column_names=True, use_threads=False)
    found = pyarrow.csv.read_csv(source, options)
    return np.column_stack([column.to_numpy() for column in found.columns]).astype(np.float32)


def _invoke(connection: http.client.HTTPConnection, body: bytes) -> bytes:
    connection.request("POST", "/endpoints/e/invocations", body, {"content-type": "text/csv"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise RuntimeError(text.decode())
    return text


def _csv(table: np.ndarray[Any, Any]) -> bytes:
    return "".join(",".join(f"{value:g}" for value in row) + "\n" for row in table).encode()


def _median(call: Callable[[], object], times: int) -> float:
    """The median seconds of a call; one call more goes before, unless there is only one."""
    if times > 1:
        call()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _line(what: str, here: float, raw: float | None, note: str) -> None:
    shown = "" if raw is None else f"{raw:,.3f}"
    print(f"{what:44}{here:>12,.3f}{shown:>12}    {note}")


if __name__ == "__main__":
    main()
