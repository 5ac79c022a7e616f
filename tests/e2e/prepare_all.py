"""Runs preparation jobs one after the other in this process: `prepare_all.py ENGINE FILE`.

Each line of the file names a plan and the place of a result, as a job's environment does. With the
engine "spark" one Spark serves all of them: its start takes longer than any.
"""

import importlib
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run every job; how each went is in its result."""
    engine, file = sys.argv[1:]
    job = importlib.import_module("lambda.prepare_job.job")
    if engine == "spark":
        _share_spark()
    for line in Path(file).read_text().splitlines():
        os.environ |= json.loads(line)
        job.main(engine, Path(file).parent)
    return 0


def _share_spark() -> None:
    spark = importlib.import_module("lambda.prepare_job.spark")
    started: list[object] = []
    start, leave = spark.Cluster.of, spark.Cluster.__exit__

    def of(plan: dict[str, object]) -> object:
        if not started:
            first = start(plan)
            started.append(first.context)
            # Each cluster would stop it.
            first.context.stop = lambda: None
        found = spark.s3.Location(plan["bucket"], plan["prefix"])
        return spark.Cluster(started[0], found, plan["preparation"]["shards"])  # type: ignore[index]

    spark.Cluster.of = of
    spark.Cluster.__exit__ = leave


if __name__ == "__main__":
    sys.exit(main())
