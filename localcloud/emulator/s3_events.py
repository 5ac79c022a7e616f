"""What S3 tells EventBridge of an object, as its user guide has it ("Event message structure").

MiniStack says which version it was in S3's own notifications, but not in EventBridge's events. Two
quick uploads under one name were then not to be told apart, and one of them was prepared twice.
"""

import contextvars
import json
from collections.abc import Callable
from typing import Any

from localcloud import hooks

_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("_version", default=None)


@hooks.around("ministack.services.s3:_fire_s3_event", reason="EventBridge's event names no version")
def _with_its_version(
    fire: Callable[..., None],
    bucket_name: str,
    key: str,
    event_name: str,
    size: int = 0,
    etag: str = "",
    deletion_type: str | None = None,
    restore_event_data: dict[str, Any] | None = None,
    version_id: str | None = None,
    sequencer: str | None = None,
    object_extra: dict[str, Any] | None = None,
    record_extra: dict[str, Any] | None = None,
) -> None:
    """Remember the version while the event is made and sent."""
    # That of an object from before versioning was enabled: no event has it.
    token = _version.set(None if version_id == "null" else version_id)
    try:
        fire(
            bucket_name,
            key,
            event_name,
            size,
            etag,
            deletion_type,
            restore_event_data,
            version_id,
            sequencer,
            object_extra,
            record_extra,
        )
    finally:
        _version.reset(token)


@hooks.around(
    "ministack.services.eventbridge:_dispatch_event", reason="an event of S3 names no version"
)
def _dispatched(dispatch: Callable[..., None], event: dict[str, Any], view: Any = None) -> None:
    """Send an event on, those of S3 with the version of the object."""
    version = _version.get()
    if event.get("Source") != "aws.s3" or version is None:
        dispatch(event, view)
        return
    detail = json.loads(event["Detail"])
    detail["object"]["version-id"] = version
    token = _version.set(None)  # what a target's own work makes is another event
    try:
        dispatch({**event, "Detail": json.dumps(detail)})
    finally:
        _version.reset(token)
