"""Synthesizes the app several times in one process: starting the CDK takes most of one synthesis.

``python -m gates.variants JSON`` is given the context of each variant by the
folder that it goes to.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gates.assembly import Assembly, run_app


def synthesize_all(folder: Path, contexts: Mapping[str, Mapping[str, Any]]) -> dict[str, Assembly]:
    """Synthesize a variant for each context, without the scanners' rules.

    Args:
        folder: Receives a folder for each.
        contexts: By the variant's name.

    Raises:
        RuntimeError: With what it said.
    """
    places = {name: folder / f"variant-{at}" for at, name in enumerate(contexts)}
    asked = {str(places[name]): {"functions": "local", **contexts[name]} for name in contexts}
    done = run_app(folder / "none", program=("-m", "gates.variants", json.dumps(asked)))
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return {name: Assembly(place) for name, place in places.items()}


def _main(asked: Mapping[str, Mapping[str, Any]]) -> None:
    from aws_cdk import App

    from app import build

    for folder, context in asked.items():
        app = App(outdir=folder, post_cli_context=context)
        build(app)
        app.synth()


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
