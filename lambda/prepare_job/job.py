"""Prepare the data in a processing job: what the function does, on a machine of the job's own.

A job is told little: the environment names the objects where the plan lies (`ORDER`) and where the
result is wanted (`RESULT`). The result is what the function would have returned, as `prepared`, or
how it would have failed, as `failure`, whose `Error` and `Cause` are what Step Functions makes of a
function's exception.
"""

import json
import os
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from data_prep import DataError

from ..common import s3
from ..common.errors import SpineError
from ..prepare.run import run

# DescribeProcessingJob, ExitMessage: SageMaker keeps so many characters of it.
_EXIT_MESSAGE = 1024
_LONGEST_CAUSE = 8192


def main(engine: str, base: Path) -> int:
    """Prepare, write the result, and return the exit code.

    Args:
        engine: "processing", or "spark" on the driver of a cluster.
        base: The container's /opt/ml.
    """
    order = json.loads(s3.read(s3.parse_uri(os.environ["ORDER"])))
    plan = order["plan"]
    result: dict[str, Any]
    try:
        with ExitStack() as stack:
            spread = None
            if engine == "spark":
                # Not every engine's image has it.
                from .spark import Cluster

                spread = stack.enter_context(Cluster.of(plan))
            result = {"prepared": run(plan, hosts=order["hosts"], spread=spread)}
    except (DataError, SpineError) as error:
        result = {"failure": _failure(error)}
    except Exception as error:  # noqa: BLE001 (a defect, which the run must show as well)
        traceback.print_exc()
        result = {"failure": _failure(error)}
    content = json.dumps(result, ensure_ascii=False).encode()
    s3.write(s3.parse_uri(os.environ["RESULT"]), content, content_type="application/json")
    if "failure" not in result:
        return 0
    message = (
        f"{result['failure']['Error']}: {json.loads(result['failure']['Cause'])['errorMessage']}"
    )
    (base / "output").mkdir(parents=True, exist_ok=True)
    (base / "output" / "message").write_text(message[:_EXIT_MESSAGE], encoding="utf-8")
    return 1


def _failure(error: Exception) -> dict[str, str]:
    name = type(error).__name__
    cause = {"errorMessage": str(error)[:_LONGEST_CAUSE], "errorType": name}
    return {"Error": name, "Cause": json.dumps(cause, ensure_ascii=False)}
