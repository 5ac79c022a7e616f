"""What exists: every resource's record, its ARN and its tags, safe to use from any thread."""

import base64
import binascii
import copy
import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud.sagemaker.errors import ApiError, invalid

MAX_TAGS = 50


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of resource, and how the service talks of it.

    Attributes:
        noun: `training job`, as messages call it.
        segment: The ARN's resource part, `training-job`.
        prefix: What its members' names begin with, `TrainingJob` in `TrainingJobName`.
        status: Member that holds its state; None for what has no state.
        missing: The error for a name that does not exist, given name and ARN.
        duplicate: The error for a name that does, given name and ARN.
    """

    noun: str
    segment: str
    prefix: str
    status: str | None
    missing: Callable[[str, str], ApiError]
    duplicate: Callable[[str, str], ApiError]

    @property
    def name_member(self) -> str:
        """`TrainingJobName`."""
        return f"{self.prefix}Name"

    @property
    def arn_member(self) -> str:
        """`TrainingJobArn`."""
        return f"{self.prefix}Arn"


def hosted(noun: str, segment: str, prefix: str, status: str | None = None) -> Kind:
    """A kind that the hosting part of the service words its errors for."""
    return Kind(
        noun=noun,
        segment=segment,
        prefix=prefix,
        status=status,
        missing=lambda _, arn: invalid(f'Could not find {noun} "{arn}".'),
        duplicate=lambda _, arn: invalid(f'Cannot create already existing {noun} "{arn}".'),
    )


@dataclass
class Record:
    """One resource: the members its Describe operation shows, and its tags."""

    kind: Kind
    name: str
    arn: str
    members: dict[str, Any]
    tags: dict[str, str]
    sequence: int
    # What belongs to the running thing behind the record and no client sees.
    runtime: Any = field(default=None, repr=False)


class Store:
    """Every record of one account and region.

    Methods are atomic. `lock` may be held (it is reentrant) to make several of them one step.
    """

    def __init__(self, *, region: str, account: str, lag: float = 0.0) -> None:
        """Start with no record.

        Args:
            region: Region that ARNs name.
            account: Account that ARNs name.
            lag: Seconds after its creation for which reading does not find a record that has no
                state of its own, a model for instance. Writing is consistent: its name is taken.
        """
        self.lock = threading.RLock()
        self._lag = lag
        self._region = region
        self._account = account
        self._records: dict[tuple[str, str], Record] = {}
        self._by_arn: dict[str, Record] = {}
        self._sequence = itertools.count(1)

    def arn(self, kind: Kind, name: str) -> str:
        """The ARN of a resource; the service lower-cases it."""
        return f"arn:aws:sagemaker:{self._region}:{self._account}:{kind.segment}/{name}".lower()

    def create(
        self, kind: Kind, name: str, members: dict[str, Any], tags: list[dict[str, str]]
    ) -> Record:
        """Adds a record, with its name, ARN and creation time among its members.

        Raises:
            ApiError: The name is taken, or the tags are not valid.
        """
        arn = self.arn(kind, name)
        record = Record(kind, name, arn, {}, {}, next(self._sequence))
        _add_tags(record, tags)
        now = datetime.now(UTC)
        times = {"CreationTime": now, "LastModifiedTime": now}
        identity = {kind.name_member: name, kind.arn_member: arn}
        record.members = {**copy.deepcopy(members), **identity, **times}
        record.members.pop("Tags", None)
        with self.lock:
            # Two names that differ in case share an ARN, so they are the same name.
            if arn in self._by_arn:
                raise kind.duplicate(name, arn)
            self._records[kind.segment, name] = record
            self._by_arn[arn] = record
        return record

    def get(self, kind: Kind, name: str) -> Record:
        """Finds a record.

        Raises:
            ApiError: There is none of that name.
        """
        record = self.find(kind, name)
        if record is None or self._unsettled(record):
            raise kind.missing(name, self.arn(kind, name))
        return record

    def _unsettled(self, record: Record) -> bool:
        if not self._lag or record.kind.status:
            return False
        age: timedelta = datetime.now(UTC) - record.members["CreationTime"]
        return age.total_seconds() < self._lag

    def find(self, kind: Kind, name: str) -> Record | None:
        """Finds a record, or None."""
        with self.lock:
            return self._records.get((kind.segment, name))

    def describe(self, kind: Kind, name: str) -> dict[str, Any]:
        """A copy of a record's members.

        Raises:
            ApiError: There is none of that name.
        """
        with self.lock:
            return copy.deepcopy(self.get(kind, name).members)

    def update(self, record: Record, **members: Any) -> None:
        """Sets members of a record and its time of modification."""
        with self.lock:
            record.members.update(members, LastModifiedTime=datetime.now(UTC))

    def remove(self, record: Record) -> None:
        """Forgets a record."""
        with self.lock:
            self._records.pop((record.kind.segment, record.name), None)
            self._by_arn.pop(record.arn, None)

    def tagged(self, arn: str) -> Record:
        """The record behind an ARN.

        Raises:
            ApiError: There is none.
        """
        with self.lock:
            record = self._by_arn.get(arn.lower())
        if record is None:
            raise invalid(f'Could not find a resource "{arn}".')
        return record

    def tag(self, arn: str, tags: list[dict[str, str]]) -> dict[str, str]:
        """Adds tags, or changes their values; returns all the resource has now."""
        with self.lock:
            record = self.tagged(arn)
            _add_tags(record, tags)
            return dict(record.tags)

    def untag(self, arn: str, keys: list[str]) -> None:
        """Removes tags; a key that is not there is no error, as on AWS."""
        with self.lock:
            record = self.tagged(arn)
            for key in keys:
                record.tags.pop(key, None)

    def page(
        self,
        kind: Kind,
        request: dict[str, Any],
        *,
        ascending: bool,
        also: Callable[[Record], bool] = lambda _: True,
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Lists what matches a List operation's request.

        Args:
            kind: What to list.
            request: `NameContains`, `StatusEquals`, `SortBy`, `SortOrder`, `MaxResults`,
                `NextToken`, and the limits on creation and modification time.
            ascending: The operation's own default order (the operations differ).
            also: What else a record must be to be listed.

        Returns:
            Copies of the members of at most `MaxResults` (10) records, and the token of the next
            page. A page goes on after the last record shown, so deleting between two pages skips
            nothing.

        Raises:
            ApiError: The token is none this operation gave.
        """
        with self.lock:
            found = [
                record
                for (segment, _), record in self._records.items()
                if segment == kind.segment and _matches(record, request) and also(record)
            ]
            sort_by = request.get("SortBy", "CreationTime")
            order = request.get("SortOrder", "Ascending" if ascending else "Descending")
            found.sort(key=lambda record: _position(record, sort_by))
            if order == "Descending":
                found.reverse()
            if token := request.get("NextToken"):
                last = _read_token(token)
                found = [
                    record
                    for record in found
                    if (_position(record, sort_by) > last) == (order == "Ascending")
                    and _position(record, sort_by) != last
                ]
            size = request.get("MaxResults", 10)
            page, rest = found[:size], found[size:]
            token = _make_token(_position(page[-1], sort_by)) if rest else None
            return [copy.deepcopy(record.members) for record in page], token

    def records(self) -> list[Record]:
        """Every record."""
        with self.lock:
            return list(self._records.values())


def _matches(record: Record, request: dict[str, Any]) -> bool:
    members = record.members
    # The service ignores case in NameContains.
    if request.get("NameContains", "").lower() not in record.name.lower():
        return False
    status = request.get("StatusEquals")
    if status and members[record.kind.status or ""] != status:
        return False
    for member in ("CreationTime", "LastModifiedTime"):
        moment = members[member].timestamp()
        after, before = request.get(f"{member}After"), request.get(f"{member}Before")
        if (after is not None and moment <= after) or (before is not None and moment >= before):
            return False
    return True


def _position(record: Record, sort_by: str) -> tuple[str, int]:
    if sort_by == "Name":
        return record.name, record.sequence
    if sort_by == "Status" and record.kind.status:
        return str(record.members[record.kind.status]), record.sequence
    return "", record.sequence


def _make_token(position: tuple[str, int]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_token(token: str) -> tuple[str, int]:
    try:
        word, sequence = json.loads(base64.urlsafe_b64decode(token))
        return str(word), int(sequence)
    except (binascii.Error, ValueError, TypeError):
        raise invalid(f"Invalid NextToken: {token}") from None


def _add_tags(record: Record, tags: list[dict[str, str]]) -> None:
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) != len(keys):
        raise invalid("Duplicate tag keys found. Please use unique tag keys.")
    for key in keys:
        if key.lower().startswith("aws:"):
            raise invalid(f"Tag key {key!r} begins with 'aws:', which is reserved for AWS.")
    merged = record.tags | {tag["Key"]: tag["Value"] for tag in tags}
    if len(merged) > MAX_TAGS:
        raise invalid(f"A resource has at most {MAX_TAGS} tags; this would give it {len(merged)}.")
    record.tags = merged
