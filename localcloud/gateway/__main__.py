"""`python -m localcloud.gateway --home .spine`: the local cloud, until SIGTERM or SIGINT."""

import argparse
import json
import sys
from pathlib import Path

from localcloud.conditions import Conditions
from localcloud.gateway import server


def main(arguments: list[str] | None = None) -> None:
    """Run the gateway until it is told to stop (SIGTERM or SIGINT)."""
    parser = argparse.ArgumentParser(prog="python -m localcloud.gateway", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="state directory")
    parser.add_argument("--port", type=int, default=0, help="port, 0 for a free one")
    parser.add_argument(
        "--sagemaker",
        type=json.loads,
        default=[sys.executable, "-m", "localcloud.sagemaker"],
        help="command of the SageMaker process, as JSON",
    )
    parser.add_argument(
        "--conditions",
        type=Conditions.read,
        default=Conditions(),
        help="what the cloud is to be like, as JSON",
    )
    found = parser.parse_args(arguments)
    server.run(
        server.Options(
            home=found.home.resolve(),
            port=found.port,
            sagemaker=tuple(map(str, found.sagemaker)),
            conditions=found.conditions,
        )
    )


if __name__ == "__main__":
    main()
