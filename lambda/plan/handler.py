"""Plan the run: check the execution input, fill in defaults, derive names and places."""

import os
from typing import Any

from botocore.exceptions import ClientError

from .. import algorithms
from ..common import fetch, fetch_folder, log, names
from ..common.errors import SpineError
from . import engines, execution_input, instances, plan, refusal
from .rules import Rules
from .sections import Source

# For the one question how large the source is; the step that reads it waits longer.
_SECONDS = 5.0


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's)
    """Return the plan for `{"input", "pipeline", "execution": {"arn", "name", "started_at"}}`.

    Raises:
        InvalidInputError: The execution input cannot be run; every problem is listed. Or the
            execution has a name that no tag can hold.
        SpineError: One of the classes of `fetch`: the source is a folder that cannot be had, or
            has more bytes than the engine takes.
    """
    execution = event["execution"]
    try:
        names.execution_tag(execution["arn"])
    except ValueError as error:
        raise refusal.InvalidInputError(
            f"{error}. Nothing was started. Start a new execution under a shorter name, or one of"
            " letters, digits, - and _."
        ) from error
    bucket = os.environ["BUCKET"]
    rules = Rules(
        bucket=bucket,
        hosts=_listed(os.environ["SOURCE_HOSTS"].lower()),
        buckets=_listed(os.environ["SOURCE_BUCKETS"]),
        instances=instances.known(),
        allowed=_listed(os.environ["INSTANCE_TYPES"]),
        versions={
            each.name: os.environ[each.version_variable] for each in algorithms.ALGORITHMS.values()
        },
        spark=os.environ["SPARK_REGISTRY"].isdigit(),
    )
    # A run that is redriven may be older than the question, and is the first machine's then.
    pipeline = event.get("pipeline", "")
    given = execution_input.parse(event["input"], rules, pipeline=pipeline)
    preparation = engines.choose(
        given.preparation,
        lambda: _look(given.source, rules.hosts),
        training_instances=given.training.instance_count,
        spark=rules.spark,
        largest_volume_gb=int(os.environ["LARGEST_VOLUME_GB"]),
        is_folder=given.source.is_folder,
    )
    if given.source.is_folder:
        _check_folder(given.source, preparation)
    planned = plan.build(
        given,
        preparation=preparation,
        execution_arn=execution["arn"],
        execution_name=execution["name"],
        started_at=execution["started_at"],
        bucket=bucket,
        name_prefix=os.environ["NAME_PREFIX"],
    )
    log.event(
        "run planned",
        run=planned["run"]["id"],
        execution=execution["arn"],
        engine=preparation["engine"],
        source_bytes=preparation["source_bytes"],
    )
    return planned


def _check_folder(source: Source, preparation: dict[str, Any]) -> None:
    """Refuse a folder that has more bytes than the engine takes, before a job is paid for.

    Raises:
        SourceTooLargeError: It has.
    """
    most = preparation["limits"]["source_bytes"]
    if (preparation["source_bytes"] or 0) > most:
        raise fetch.too_large(source.uri, most)


def _look(source: Source, hosts: frozenset[str]) -> engines.Source:
    """Ask for the source's size; that a file cannot be had is for the step that reads it to say.

    Raises:
        SpineError: One of the classes of `fetch_folder.listed`: a folder cannot be had.
    """
    if source.is_folder:
        # That there is nothing to read is known now.
        objects = fetch_folder.listed(source.uri)
        return engines.Source(
            uri=source.uri,
            size=sum(each.size for each in objects),
            files=len(objects),
            packed_bytes=sum(each.size for each in objects if engines.is_packed(each.path)),
        )
    try:
        if source.uri.startswith("s3://"):
            size: int | None = fetch.size_in_s3(source.uri, version_id=source.version_id)
        else:
            size = fetch.Web(hosts=hosts, seconds=_SECONDS).size(source.uri)
    except (SpineError, ClientError) as error:
        return engines.Source(uri=source.uri, size=None, why_not=type(error).__name__)
    why_not = "the server does not say it" if size is None else ""
    return engines.Source(uri=source.uri, size=size, why_not=why_not)


def _listed(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())
