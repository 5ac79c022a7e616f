"""Cutting an input into the payloads of a batch transform."""

from collections.abc import Iterator
from typing import BinaryIO

from localcloud.sagemaker.errors import JobError


def payloads(source: BinaryIO, *, lines: bool, multiple: bool, limit: int) -> Iterator[bytes]:
    """Cuts an input.

    Args:
        source: The input, from its start.
        lines: `SplitType` Line: a record is a line. Otherwise the whole input is one record.
        multiple: `BatchStrategy` MultiRecord: as many records in a payload as fit.
        limit: Bytes a payload may have.

    Yields:
        Payloads in order; records keep their line ends.

    Raises:
        JobError: A record is larger than the limit.
    """
    records = iter(source) if lines else iter([source.read()])
    batch: list[bytes] = []
    size = 0
    for record in records:
        if len(record) > limit:
            raise JobError(
                f"ClientError: a record of {len(record)} bytes is larger than MaxPayloadInMB "
                f"({limit // 1024**2} MB). Set SplitType to Line, or MaxPayloadInMB higher."
            )
        if batch and (size + len(record) > limit or not multiple):
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(record)
        size += len(record)
    if batch:
        yield b"".join(batch)
