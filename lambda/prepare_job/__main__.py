"""What a processing job starts: the archive of this code, which Python runs as it is.

`python3 code.zip` runs this file out of the archive. It unpacks the archive, since libraries of
compiled code cannot be imported from one, and goes on as what the environment variable `ENGINE`
says: the preparation itself, or `smspark-submit`, which makes a Spark cluster of the job's
instances and runs this file again on the first of them, as the driver.
"""

import importlib
import os
import sys
import zipfile
from pathlib import Path

# As SageMaker's own toolkits read it where the folders are not in a container: unset on AWS.
_BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
_CODE = _BASE / "processing" / "code"
_DRIVER = "driver"


def main() -> int:
    """Return the exit code; or become another program."""
    if sys.argv[1:] == [_DRIVER]:
        return _job("spark")
    with zipfile.ZipFile(sys.argv[0]) as archive:
        archive.extractall(_CODE)
    # The volume that was asked for, rather than the container's own.
    scratch = _BASE / "processing" / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    os.environ |= {"TMPDIR": str(scratch), "PYTHONPATH": str(_CODE)}
    if os.environ["ENGINE"] == "spark":
        words = ["smspark-submit", str(_CODE / "__main__.py"), _DRIVER]
        os.execvp(words[0], words)  # noqa: S606 (the image's own, on its PATH)
    sys.path.insert(0, str(_CODE))
    return _job("processing")


def _job(engine: str) -> int:
    # `lambda` is a keyword: no import statement can name it.
    job = importlib.import_module("lambda.prepare_job.job")
    code: int = job.main(engine, _BASE)
    return code


if __name__ == "__main__":
    sys.exit(main())
