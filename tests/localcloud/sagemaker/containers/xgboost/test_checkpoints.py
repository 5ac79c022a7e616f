"""The model after each round is kept, and training goes on from the last one."""

from pathlib import Path

import pytest
import xgboost

from localcloud.sagemaker.containers.xgboost import checkpoints
from tests.localcloud.sagemaker.cloud import make_table


def trained(folder: Path, rounds: int, start: int = 0) -> xgboost.Booster:
    """A model of so many rounds, with a checkpoint of each."""
    table = make_table(50)
    matrix = xgboost.DMatrix(table[:, 1:], label=table[:, 0])
    return xgboost.train(
        {"objective": "binary:logistic"},
        matrix,
        num_boost_round=rounds,
        callbacks=[checkpoints.Save(folder, start)],
    )


def names(folder: Path) -> list[str]:
    """What lies in the folder."""
    return sorted(path.name for path in folder.iterdir())


def test_the_last_five_rounds_are_kept(tmp_path: Path) -> None:
    """By the container's names, counted from 0; nothing unfinished is left."""
    trained(tmp_path / "made", 7)
    assert names(tmp_path / "made") == [f"xgboost-checkpoint.{number}" for number in range(2, 7)]


def test_a_checkpoint_holds_the_model_of_its_round(tmp_path: Path) -> None:
    """The library loads it."""
    model = trained(tmp_path, 3)
    found = checkpoints.last(tmp_path)
    assert found is not None
    path, rounds = found
    loaded = xgboost.Booster(model_file=path)
    assert (rounds, loaded.num_boosted_rounds()) == (3, 3)
    assert loaded.get_dump() == model.get_dump()


def test_counting_goes_on_after_an_earlier_job(tmp_path: Path) -> None:
    """Its files are removed as those of the job itself."""
    trained(tmp_path, 3)
    trained(tmp_path, 4, start=3)
    assert names(tmp_path) == [f"xgboost-checkpoint.{number}" for number in range(2, 7)]


def test_the_newest_is_found_by_its_number(tmp_path: Path) -> None:
    """Not by its letters; other files are none."""
    others = ("xgboost-checkpoint.11.sagemaker-ignore", "xgboost-checkpoint.x", "notes.12")
    for name in ("xgboost-checkpoint.9", "xgboost-checkpoint.10", *others):
        (tmp_path / name).touch()
    assert checkpoints.last(tmp_path) == (tmp_path / "xgboost-checkpoint.10", 11)


@pytest.mark.parametrize("folder", ["absent", "."])
def test_without_a_checkpoint_training_begins_anew(tmp_path: Path, folder: str) -> None:
    """There is no folder, or nothing in it."""
    assert checkpoints.last(tmp_path / folder) is None
