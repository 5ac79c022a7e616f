"""Prepare the data: fetch the source, check it, split it, write the run's four CSV files."""

import io
import os
from typing import Any

from data_prep import Fractions, Prepared, prepare

from ..common import log, s3
from . import fetch

_FEATURES_SHOWN = 200


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Prepare the plan's source.

    Every file is computed before the first is written, so a refused input writes nothing.

    Args:
        event: `{"plan": ...}`, the plan of the run.
        context: Lambda's own, not used.

    Returns:
        `rows`, `counts` and `positives` by part, `features` (the first 200 names),
        `feature_count`, `label`, `classes`, and what was read as `source`.

    Raises:
        DataError: One of its classes: the input is refused.
        SourceUnreachableError: The only failure that trying again may mend.
        SpineError: The other classes of `fetch`: the source cannot be had.
    """
    plan = event["plan"]
    source = plan["source"]
    fetched = _fetch(source["uri"], source["version_id"])
    split = plan["split"]
    prepared = prepare(
        io.BytesIO(fetched.content),
        name=fetched.name,
        member=source["member"],
        sha256=source["sha256"],
        label=source["label"],
        positive=source["positive"],
        fractions=Fractions(split["train"], split["test"], split["validate"]),
        seed=split["seed"],
    )
    run_folder = s3.Location(os.environ["BUCKET"], plan["prefix"])
    for path, content in prepared.files.items():
        s3.write(run_folder.join(path), content, content_type="text/csv")
    result = _result(prepared, source["uri"], fetched.version_id)
    log.event(
        "prepared",
        run=plan["run"]["id"],
        rows=result["rows"],
        counts=result["counts"],
        source=result["source"],
    )
    return result


def _fetch(uri: str, version_id: str | None) -> fetch.Fetched:
    if uri.startswith("s3://"):
        return fetch.from_s3(uri, version_id=version_id)
    hosts = os.environ["SOURCE_HOSTS"].lower().split(",")
    return fetch.Web(hosts=frozenset(host.strip() for host in hosts if host.strip())).fetch(uri)


def _result(prepared: Prepared, uri: str, version_id: str | None) -> dict[str, Any]:
    table, member = prepared.table, prepared.member
    return {
        "rows": len(table.labels),
        "counts": prepared.counts,
        "positives": prepared.positives,
        "features": [feature.name for feature in table.features[:_FEATURES_SHOWN]],
        "feature_count": len(table.features),
        "label": table.label,
        "classes": table.classes._asdict(),
        "source": {
            "uri": uri,
            "member": member.name,
            "bytes": member.size,
            "sha256": member.sha256,
            "version_id": version_id,
        },
    }
