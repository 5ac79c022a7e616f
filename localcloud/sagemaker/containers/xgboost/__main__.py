"""The container's entry point: `python -m ...containers.xgboost train | serve`."""

# The guard comes first: the starting process may end while XGBoost is being imported.
from localcloud.sagemaker.containers import guard

guard.install()

import argparse  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import traceback  # noqa: E402
from pathlib import Path  # noqa: E402


def _train(base: Path) -> int:
    from localcloud.sagemaker.containers.xgboost.errors import AlgorithmError, UserError
    from localcloud.sagemaker.containers.xgboost.training import train

    try:
        train(base)
    except Exception as error:  # noqa: BLE001 (the contract: describe it in output/failure)
        traceback.print_exc()
        kind = type(error).__name__
        known = isinstance(error, (AlgorithmError, UserError))
        text = f"{kind}: {error}" if known else f"{kind}: {error}\n{traceback.format_exc()}"
        (base / "output" / "failure").write_text(f"framework error: \n{text}")
        return 1
    return 0


def _serve(base: Path, socket: Path, *, joined: bool) -> int:
    from localcloud.sagemaker.containers import http
    from localcloud.sagemaker.containers.xgboost.serving import Model

    model = Model(base / "model", joined=joined)
    http.serve(model.answer, socket, threads=os.cpu_count() or 1)
    return 0


def main() -> int:
    """Runs the command; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--image-tag", required=True)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("train")
    serve = commands.add_parser("serve")
    serve.add_argument("--socket", type=Path, required=True)
    arguments = parser.parse_args()
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    if arguments.command == "train":
        return _train(base)
    joined = arguments.image_tag in ("1.0-1", "1.0-1-cpu-py3", "1.2-1")
    return _serve(base, arguments.socket, joined=joined)


if __name__ == "__main__":
    sys.exit(main())
