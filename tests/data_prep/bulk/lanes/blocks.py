"""A block of a file that is made up, with the file's schema."""

from typing import Any

import numpy as np

from data_prep import Wanted
from data_prep.bulk.arrow import array_of, take
from data_prep.bulk.blocks import Block
from data_prep.bulk.formatting import label_lengths
from data_prep.bulk.lanes.base import Encoding, RowLabels, Survey
from data_prep.bulk.schema import Schema
from tests.data_prep.support import opened_whole


def block_of(text: str, name: str = "x.csv", **wanted: Any) -> tuple[Schema, Block]:
    """Return a file's schema and its rows as one block."""
    opened = opened_whole(text, name)
    schema = Schema.of(opened, Wanted(**{"positive": "a", **wanted}))
    lines = text.encode().splitlines(keepends=True)
    header = opened.rows.header_lines
    return schema, Block(b"".join(lines[header:]), header + 1)


def rendered(
    schema: Schema, block: Block, survey: Survey, numbers: list[int], **changed: Any
) -> list[str]:
    """Render a block whose label values, in order of appearance, become these numbers."""
    encoding = Encoding(
        survey.whole,
        {
            which: {name: at for at, name in enumerate(sorted(seen))}
            for which, seen in survey.categories.items()
        },
        0 if schema.is_regression else max(numbers) + 1,
        label_lengths(survey.labels),
    )._replace(**changed)
    written = np.array(numbers, np.uint8)[survey.codes]
    labels = RowLabels(survey.codes, written)
    strings, places = survey.rendering.render(schema, block, labels, encoding)
    return list((strings if places is None else take(strings, array_of(places))).to_pylist())
