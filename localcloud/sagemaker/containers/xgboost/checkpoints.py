"""Checkpoints: the model after each round, and going on from the last one found.

Names and number kept: `checkpointing.py` of aws/sagemaker-xgboost-container.
"""

import re
from pathlib import Path
from typing import Any

from localcloud.sagemaker.containers.xgboost.library import xgboost as xgb

_NAME = re.compile(r"xgboost-checkpoint\.(\d+)")
_KEPT = 5


def last(folder: Path) -> tuple[Path, int] | None:
    """The newest checkpoint and how many rounds it holds; None when there is none."""
    found = {
        int(match[1]): path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (match := _NAME.fullmatch(path.name))
    }
    if not found:
        return None
    newest = max(found)
    return found[newest], newest + 1


class Save(xgb.callback.TrainingCallback):
    """Saves the model after each round and keeps the last five files.

    Args:
        folder: Where to.
        start: Rounds that an earlier checkpoint already holds.
    """

    def __init__(self, folder: Path, start: int) -> None:
        super().__init__()
        self._folder = folder
        self._start = start
        folder.mkdir(parents=True, exist_ok=True)

    def after_iteration(self, model: xgb.Booster, epoch: int, _: dict[str, Any]) -> bool:
        """Called by XGBoost after each round."""
        done = self._start + epoch
        unfinished = self._folder / f"xgboost-checkpoint.{done}.sagemaker-ignore"
        # The library tells the format by the name's end: this is what it takes for others.
        unfinished.write_bytes(model.save_raw("ubj"))
        unfinished.replace(self._folder / f"xgboost-checkpoint.{done}")
        (self._folder / f"xgboost-checkpoint.{done - _KEPT}").unlink(missing_ok=True)
        return False
