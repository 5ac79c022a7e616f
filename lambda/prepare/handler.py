"""Prepare the data: fetch the source, check it, split it, write the run's four CSV files."""

import io
import json
import os
import tempfile
from contextlib import ExitStack
from typing import IO, Any, BinaryIO, Self, cast

from data_prep import Format, Fractions, Prepared, Wanted, prepare

from ..common import fetch, log, s3

_FEATURES_SHOWN = 200
_WARNINGS_SHOWN = 20
_LONGEST_NAME = 100


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Prepare the plan's source.

    The whole input is checked before anything is written, so a refused one writes nothing. Beside
    the four files goes `data_profile.json`, what is known of them.

    Args:
        event: `{"plan": ...}`, the plan of the run.
        context: Lambda's own, not used.

    Returns:
        The `task`, `rows`, `counts` by part and, for classes, `positives` or `class_counts`,
        `features` (the first 200 names), `feature_count`, `label`, `classes` (the positive and the
        negative one, or several by the numbers written for them), `hyperparameters` that follow
        from the data, what was read as `source`, the address of the `profile`, and the first 20 of
        its `warnings`.

    Raises:
        DataError: One of its classes: the input is refused.
        SourceUnreachableError: The only failure that trying again may mend.
        SpineError: The other classes of `fetch`: the source cannot be had.
    """
    plan = event["plan"]
    source = plan["source"]
    fetched = _fetch(source["uri"], source["version_id"])
    run_folder = s3.Location(os.environ["BUCKET"], plan["prefix"])
    split = plan["split"]
    with fetched.file as file:
        prepared = prepare(
            # A spooled file has all that a buffered reader has.
            cast("io.BufferedIOBase", file),
            name=fetched.name,
            member=source["member"],
            sha256=source["sha256"],
            form=Format(**source["format"]),
            wanted=_wanted(plan),
            fractions=Fractions(split["train"], split["test"], split["validate"]),
            seed=split["seed"],
        )
        _write(prepared, run_folder)
    profile = run_folder.join("data_profile.json")
    content = json.dumps(prepared.profile, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    s3.write(profile, content.encode(), content_type="application/json")
    result = _result(prepared, source["uri"], fetched.version_id, profile.uri)
    log.event(
        "prepared",
        run=plan["run"]["id"],
        rows=result["rows"],
        counts=result["counts"],
        source=result["source"],
        warnings=[each["name"] for each in result["warnings"]],
    )
    return result


def _wanted(plan: dict[str, Any]) -> Wanted:
    source = plan["source"]
    hyperparameters = plan["training"]["hyperparameters"]
    classes = hyperparameters.get("num_class")
    return Wanted(
        label=source["label"],
        task=plan["task"],
        # Of two classes only.
        positive=source["positive"] or "",
        num_class=None if classes is None else int(classes),
        objective=hyperparameters["objective"],
        rest=source["rest"],
        drop=tuple(source["drop"]),
        rename=source["rename"],
        categorical=tuple(source["categorical"]),
        missing=source["missing"],
        allow_leakage=source["allow_leakage"],
    )


def _write(prepared: Prepared, folder: s3.Location) -> None:
    """Write the four files, on the function's disk first where they are large."""
    files: dict[str, IO[bytes]] = {}
    with ExitStack() as stack:

        def opener(path: str) -> BinaryIO:
            files[path] = stack.enter_context(
                tempfile.SpooledTemporaryFile(max_size=fetch.IN_MEMORY)
            )
            return cast("BinaryIO", _Open(files[path]))

        prepared.write_to(opener)
        for path, file in files.items():
            s3.write_file(folder.join(path), file, content_type="text/csv")


class _Open:
    """A file that stays open when its writer is done with it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.write = file.write

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def _fetch(uri: str, version_id: str | None) -> fetch.Fetched:
    if uri.startswith("s3://"):
        return fetch.from_s3(uri, version_id=version_id)
    hosts = os.environ["SOURCE_HOSTS"].lower().split(",")
    return fetch.Web(hosts=frozenset(host.strip() for host in hosts if host.strip())).fetch(uri)


def _hyperparameters(prepared: Prepared) -> dict[str, str]:
    """Return what training needs to know of the data."""
    return {"num_class": str(len(prepared.classes))} if prepared.task == "multiclass" else {}


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
        "hyperparameters": _hyperparameters(prepared),
        "classes": _classes(prepared),
        "profile": profile,
        "warnings": prepared.profile["warnings"][:_WARNINGS_SHOWN],
        "source": {
            "uri": uri,
            "member": member.name,
            "bytes": member.size,
            "sha256": member.sha256,
            "version_id": version_id,
        },
    }
