"""Preparing the source of one run, whatever machine it is done on: fetch, check, split, write.

The function, the processing job and the Spark job all come through here, so that they check alike,
refuse alike and return alike.
"""

import io
import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Self, cast

from data_prep import FormatOptions, Fractions, Limits, Objective, Prepared, Wanted, prepare
from data_prep.source import naming

from .. import algorithms
from ..common import downloads, fetch, fetch_folder, log, plans, s3
from ..common.addresses import shown
from ..common.errors import SpineError
from . import shipped_copy, training

if TYPE_CHECKING:
    from data_prep.spread import Spread

# The threads that numpy's linear algebra starts when it is loaded spin for a while, on cores that
# are needed; nothing here multiplies matrices. numpy is imported when a file turns out to be large.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_LATER = ("encode_text", "missing_label", "rare_classes", "allow_duplicates")
_FEATURES_SHOWN = 200
_WARNINGS_SHOWN = 20
_LONGEST_NAME = 100
# Time enough for the default source, which is 25 KB in a zip, before its copy is taken.
_SMALL_FILE = {"fetch_seconds": 60}
# The parts that are channels of the training job.
_TRAINED_ON = ("train", "validate")
_WHOLE_FOLDER = "*"


def run(
    plan: dict[str, Any], *, hosts: Iterable[str], spread: "Spread | None" = None
) -> dict[str, Any]:
    """Prepare the plan's source.

    The whole input is checked before anything is written, so a refused one writes nothing, unless
    it is refused because no instance could train on it. Beside the files goes `data_profile.json`,
    what is known of them.

    Args:
        plan: The plan of the run.
        hosts: Of https sources, in lower case.
        spread: Spreads the work over several machines; without, this one does all of it.

    Returns:
        The `task`, `rows`, `counts` by part and, for classes, `positives` or `class_counts`,
        `features` (the first 200 names), `feature_count`, `label`, `classes` (the positive and the
        negative one, or several by the numbers written for them), `hyperparameters` that follow
        from the data, what was read as `source` (with a `fallback`, why it was the shipped copy of
        the default one, or None), the address of the `profile`, the first 20 of its `warnings`, the
        `engine`, and the `training_volume_gb` of each instance that trains.

    Raises:
        DataError: One of its classes: the input is refused.
        SourceUnreachableError: The only failure that trying again may mend.
        SpineError: The other classes of `fetch`: the source cannot be had.
        TrainingDataTooLargeError: No instance of the training job could hold the files.
        PlanVersionError: The plan is of a deployment whose plans are written otherwise.
    """
    plans.check(plan)
    source, split = plan["source"], plan["split"]
    limits = plan["preparation"]["limits"]
    folder = s3.Location(plan["bucket"], plan["prefix"])
    fetched, fallback = _fetch_or_copy(source, limits, hosts)
    is_folder = isinstance(fetched, fetch_folder.FetchedFolder)
    with fetched.file as file:
        prepared = prepare(
            # A spooled file has all that a buffered reader has.
            cast("io.BufferedIOBase", file),
            name=fetched.name,
            member=source["member"] or (_WHOLE_FOLDER if is_folder else None),
            sha256=source["sha256"],
            format_options=FormatOptions(**source["format"]),
            wanted=_wanted(plan),
            fractions=Fractions(split["train"], split["test"], split["validate"]),
            seed=split["seed"],
            limits=Limits(member_bytes=limits["member_bytes"], rows=limits["rows"]),
            spread=spread,
        )
        written = _write(prepared, folder)
    if spread is not None:
        # The machines have written these, in shards.
        written = {part: s3.size_below(folder.join(f"{part}/")) for part in _TRAINED_ON}
    if isinstance(fetched, fetch_folder.FetchedFolder):
        _add_versions(prepared, fetched)
    profile = folder.join("data_profile.json")
    content = json.dumps(prepared.profile, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    s3.write(profile, content.encode(), content_type="application/json")
    version_id = None if isinstance(fetched, fetch_folder.FetchedFolder) else fetched.version_id
    result = _result(prepared, source["uri"], version_id, profile.uri)
    result["source"]["fallback"] = fallback
    # What training needs to know of the data.
    result["hyperparameters"] = algorithms.of_plan(plan).following(
        prepared.task, len(prepared.classes)
    )
    result["training_volume_gb"] = training.volume_gb(
        plan,
        {part: written[part] for part in _TRAINED_ON},
        values=sum(prepared.counts[part] for part in _TRAINED_ON) * (len(prepared.features) + 1),
    )
    result["engine"] = plan["preparation"]["engine"]
    log.event(
        "prepared",
        run=plan["run"]["id"],
        engine=result["engine"],
        rows=result["rows"],
        counts=result["counts"],
        source=result["source"],
        warnings=[each["name"] for each in result["warnings"]],
    )
    return result


def _wanted(plan: dict[str, Any]) -> Wanted:
    source = plan["source"]
    algorithm = algorithms.of_plan(plan)
    hyperparameters = plan["training"]["hyperparameters"]
    classes = hyperparameters.get(algorithm.classes_hyperparameter)
    name = algorithm.objective_name(hyperparameters)
    return Wanted(
        label=source["label"],
        task=plan["task"],
        # Of two classes only.
        positive=source["positive"] or "",
        num_class=None if classes is None else int(classes),
        objective=Objective(name, algorithm.objectives[name].domain),
        rest=source["rest"],
        drop=tuple(source["drop"]),
        rename=source["rename"],
        categorical=tuple(source["categorical"]),
        missing=source["missing"],
        allow_leakage=source["allow_leakage"],
        # Plans of earlier deployments lack these.
        **{name: source[name] for name in _LATER if name in source},
    )


def _write(prepared: Prepared, folder: s3.Location) -> dict[str, int]:
    """Write the four files, on the function's disk first where they are large.

    Returns:
        The bytes of each, by its part.
    """
    files: dict[str, IO[bytes]] = {}
    with ExitStack() as stack:

        def opener(path: str) -> BinaryIO:
            files[path] = stack.enter_context(
                tempfile.SpooledTemporaryFile(max_size=downloads.IN_MEMORY)
            )
            return cast("BinaryIO", _Open(files[path]))

        prepared.write_to(opener)
        for path, file in files.items():
            s3.write_file(folder.join(path), file, content_type="text/csv")
        return {path.partition("/")[0]: file.seek(0, io.SEEK_END) for path, file in files.items()}


class _Open:
    """A file that stays open when its writer is done with it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.write = file.write

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def _fetch_or_copy(
    source: dict[str, Any], limits: dict[str, Any], hosts: Iterable[str]
) -> tuple[fetch.Fetched | fetch_folder.FetchedFolder, str | None]:
    """Fetch the source; the default one, where that fails, from the copy beside this code.

    Returns:
        What was fetched, and why it is the copy.
    """
    if not shipped_copy.is_of(source):
        return _fetch(source, limits, hosts), None
    try:
        return _fetch(source, limits | _SMALL_FILE, hosts, attempts=2), None
    except SpineError as error:
        reason = f"{type(error).__name__}: {error}"
        return shipped_copy.opened(), f"Read from the copy that ships with Spine. {reason}"


def _fetch(
    source: dict[str, Any],
    limits: dict[str, Any],
    hosts: Iterable[str],
    *,
    attempts: int = fetch.ATTEMPTS,
) -> fetch.Fetched | fetch_folder.FetchedFolder:
    most = limits["source_bytes"]
    uri = source["uri"]
    if uri.startswith("s3://") and uri.endswith("/"):
        pattern = source["member"] or _WHOLE_FOLDER
        return fetch_folder.from_s3(
            uri, wanted=lambda paths: naming.chosen(paths, pattern), max_bytes=most
        )
    if uri.startswith("s3://"):
        return fetch.from_s3(uri, version_id=source["version_id"], max_bytes=most)
    web = fetch.Web(
        hosts=frozenset(hosts),
        max_bytes=most,
        seconds=limits["fetch_seconds"],
        attempts=attempts,
    )
    return web.fetch(uri)


def _add_versions(prepared: Prepared, fetched: fetch_folder.FetchedFolder) -> None:
    """Note which objects of the folder were read, so that a later reader finds the same."""
    read = {each.path: each for each in fetched.objects}
    for part in prepared.profile["source"]["parts"]:
        each = read[part["member"]]
        part.update(stored_bytes=each.size, etag=each.etag, version_id=each.version_id)


def _balance(prepared: Prepared) -> dict[str, Any]:
    """Return the rows of each class by part: of two those of class 1, of several each."""
    if prepared.task == "binary":
        return {"positives": prepared.positives}
    return {"class_counts": prepared.class_counts} if prepared.classes else {}


def _classes(prepared: Prepared) -> dict[str, str]:
    """Return the label's values, cut: the profile has them whole, and they travel far."""
    names = [
        name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
        for name in prepared.classes
    ]
    if prepared.task == "binary":
        return {"positive": names[1], "negative": names[0]}
    return {str(number): name for number, name in enumerate(names)}


def _result(prepared: Prepared, uri: str, version_id: str | None, profile: str) -> dict[str, Any]:
    member = prepared.member
    return {
        "task": prepared.task,
        "rows": sum(prepared.counts.values()),
        "counts": prepared.counts,
        **_balance(prepared),
        "features": [feature.name for feature in prepared.features[:_FEATURES_SHOWN]],
        "feature_count": len(prepared.features),
        "label": prepared.label,
        "classes": _classes(prepared),
        "profile": profile,
        # What to paste may be long: the profile has it.
        "warnings": [
            {name: value for name, value in each.items() if name != "fix"}
            for each in prepared.profile["warnings"][:_WARNINGS_SHOWN]
        ],
        "source": {
            "uri": shown(uri),
            "member": member.name,
            "bytes": member.size,
            "sha256": member.sha256,
            "version_id": version_id,
            **({"files": len(member.parts)} if member.parts else {}),
        },
    }
