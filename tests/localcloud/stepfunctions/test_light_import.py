"""What the interpreter of state machines brings with it when it is imported."""

import json
import subprocess
import sys

import pytest

_CODE = """
import json, sys
import localcloud.stepfunctions.engine
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_batch,
)
light = sorted(name for name in sys.modules if name in ("moto.ec2", "moto.ecs", "moto.batch"))
import moto.batch
print(json.dumps([light, hasattr(moto.batch, "batch_backends"), "moto.ec2" in sys.modules]))
"""


@pytest.mark.process
def test_moto_without_ec2_and_whole_for_who_asks() -> None:
    """Neither EC2 nor Batch is imported for the interpreter; Batch can still be imported."""
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[], True, True]
