"""The sections of the execution input: their fields, defaults, and what each field takes. Pure.

A field's description completes the sentence "Give ...", so what a field takes is said once, here.
"""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from ..common import default_source
from ..common.addresses import has_control_characters
from .addresses import check_address
from .rules import fault, instance, optional_instance, rules_of

_INVISIBLE = "text with control characters, which cannot be printed"
# They turn round whatever stands after them, so that a name reads as another.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def _visible(value: str) -> str:
    if has_control_characters(value) or _TURNS.search(value):
        raise fault(_INVISIBLE, "Remove them.")
    return value


Share = Annotated[
    float,
    Field(gt=0, lt=1, allow_inf_nan=False, description="a number between 0 and 1, both excluded"),
]
Probability = Annotated[
    float, Field(ge=0, le=1, allow_inf_nan=False, description="a number from 0 to 1")
]
Instances = Annotated[int, Field(ge=1, le=20, description="a whole number from 1 to 20")]
Floor = Annotated[
    float | None, Field(ge=0, le=1, allow_inf_nan=False, description="a number from 0 to 1")
]
Explained = Annotated[
    float | None,
    Field(le=1, allow_inf_nan=False, description="a number of at most 1 (it may be negative)"),
]
Ceiling = Annotated[
    float | None,
    Field(ge=0, allow_inf_nan=False, description="a number of at least 0, in the label's unit"),
]
Switch = Annotated[bool, Field(description="true or false, without quotes")]
Text = Annotated[
    str,
    Field(min_length=1, max_length=256, description="a text of 1 to 256 characters"),
    AfterValidator(_visible),
]


class Section(BaseModel):
    """A section: its values are never converted, and it has no other fields.

    Attributes:
        pipelines: The labels of those that read it (`stacks/pipelines`); None: all of them.
    """

    pipelines: ClassVar[frozenset[str] | None] = None
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


Columns = Annotated[
    list[Text], Field(max_length=500, description="a list of at most 500 column names")
]


# A saved row index has no name.
FileColumns = Annotated[
    list[
        Annotated[
            str,
            Field(max_length=256, description="a text of at most 256 characters"),
            AfterValidator(_visible),
        ]
    ],
    Field(max_length=500, description="a list of at most 500 column names"),
]


class Format(Section):
    """How the data file is written; what is left out is found out."""

    kind: Annotated[
        Literal["arff", "csv", "json", "libsvm", "parquet", "xlsx"] | None,
        Field(
            description='"arff", "csv" (for any delimiter), "json", "libsvm", "parquet" or "xlsx"'
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        Field(
            pattern=r"^([^\r\n\"\x00A-Za-z0-9.+-]|whitespace)$",
            description="one character that is no part of a number or word, such as a semicolon, "
            'or "whitespace" for columns set apart by blanks',
        ),
    ] = None
    header: Annotated[
        bool | None, Field(description="true or false: whether the first line names the columns")
    ] = None
    encoding: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9_.:-]{1,40}$",
            description='the name of a text encoding, such as "latin-1"',
        ),
    ] = None
    names: Columns = Field(default_factory=list)
    comment: Annotated[
        str | None,
        Field(
            pattern=r"^[^\sA-Za-z0-9\"'.+-]$",
            description='the character that lines begin with which are no rows, such as "#"',
        ),
    ] = None
    decimal: Annotated[
        Literal[".", ","] | None, Field(description='what stands before a fraction: "." or ","')
    ] = None
    thousands: Annotated[
        Literal[",", ".", " ", "'", "_"] | None,
        Field(description="what stands between thousands: a comma, a point, a blank, ' or _"),
    ] = None
    na_values: Annotated[
        list[Text], Field(max_length=50, description="a list of at most 50 texts")
    ] = Field(default_factory=list)
    sheet: Annotated[
        str | None,
        Field(min_length=1, max_length=31, description="the name of a workbook's sheet, as text"),
    ] = None

    @model_validator(mode="after")
    def _tells_apart(self) -> Self:
        if self.thousands is not None and self.thousands == (self.decimal or "."):
            raise fault(
                "the decimal sign, too",
                "Give two different signs.",
                value=self.thousands,
                field="thousands",
            )
        return self


class Source(Section):
    """Where the rows come from, and what in them is to be predicted."""

    uri: Annotated[
        str,
        Field(
            max_length=2048, description="an https:// or s3:// address of at most 2048 characters"
        ),
    ] = default_source.UCI
    member: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1024,
            description="the name of a file inside the archive, or a pattern such as *.csv",
        ),
    ] = None
    label: Text = "class"
    positive: Annotated[
        str,
        Field(
            min_length=1,
            max_length=256,
            description="the label's value that counts as 1, as text in quotes even for a number",
        ),
        AfterValidator(_visible),
    ] = "Abnormal"
    sha256: Annotated[
        str | None,
        Field(
            pattern=r"^[0-9a-fA-F]{64}$",
            description="the 64 hexadecimal digits of the SHA-256 of the data file",
        ),
    ] = None
    version_id: Annotated[
        str | None,
        Field(
            min_length=1, max_length=1024, description="the version id of the S3 object, as text"
        ),
    ] = None
    rest: Switch = False
    format: Format = Format()
    drop: FileColumns = Field(default_factory=list)
    rename: Annotated[
        dict[str, Text],
        Field(max_length=500, description="an object of at most 500 old and new column names"),
    ] = Field(default_factory=dict)
    categorical: Columns = Field(default_factory=list)
    encode_text: Switch = False
    missing_label: Annotated[Literal["refuse", "drop"], Field(description='"refuse" or "drop"')] = (
        "refuse"
    )
    rare_classes: Annotated[
        Literal["refuse", "drop", "merge"], Field(description='"refuse", "drop" or "merge"')
    ] = "refuse"
    missing: Annotated[Literal["refuse", "pass"], Field(description='"refuse" or "pass"')] = (
        "refuse"
    )
    allow_leakage: Switch = False
    allow_duplicates: Switch = False

    @property
    def is_folder(self) -> bool:
        """Whether the source is all files below an address."""
        return self.uri.startswith("s3://") and self.uri.endswith("/")

    @model_validator(mode="before")
    @classmethod
    def _default_source(cls, given: object) -> object:
        """Without an address, read the notebook's file and hold it to its pinned hash."""
        if not isinstance(given, dict):
            return given
        if "positive" in given and given["positive"] is None:
            # As what a refusal says to add takes it back for several classes.
            given = {name: value for name, value in given.items() if name != "positive"}
        if given.get("uri") is None:
            given = {**given, "uri": default_source.UCI}
            if given.get("member") is None:
                given["member"] = default_source.MEMBER
            if given["member"] == default_source.MEMBER and given.get("sha256") is None:
                given["sha256"] = default_source.MEMBER_SHA256
        return given

    @model_validator(mode="after")
    def _readable(self, info: ValidationInfo) -> Self:
        check_address(self.uri, rules_of(info))
        if self.is_folder and self.version_id is not None:
            raise fault(
                "for one object, and source.uri is a folder",
                "Leave it out.",
                value=self.version_id,
                field="version_id",
            )
        if self.is_folder and self.member is not None and "*" not in self.member:
            raise fault(
                "a name, and source.uri is a folder",
                'Give a pattern such as "part-*.csv", or leave it out for all files.',
                value=self.member,
                field="member",
            )
        if self.version_id is not None and not self.uri.startswith("s3://"):
            raise fault(
                "for S3 objects only",
                "Leave out source.version_id, or give an s3:// address.",
                value=self.version_id,
                field="version_id",
            )
        if self.member is not None and has_control_characters(self.member):
            raise fault(
                _INVISIBLE,
                "Remove them.",
                value=self.member,
                field="member",
            )
        return self


class Split(Section):
    """The shares of the rows, and the seed of the shuffle."""

    train: Share = 0.8
    test: Share = 0.1
    validate_: Annotated[Share, Field(alias="validate")] = 0.1
    # numpy's legacy generator, which the notebook's split uses, takes 32 bits.
    seed: Annotated[
        int, Field(ge=0, le=2**32 - 1, description="a whole number from 0 to 4294967295")
    ] = 42

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = math.fsum((self.train, self.test, self.validate_))
        if abs(total - 1) > 1e-9:
            shares = {"train": self.train, "test": self.test, "validate": self.validate_}
            raise fault(
                f"{total:.10g} in total, not 1",
                "Make the three shares add up to 1; those left out keep their defaults.",
                value=shares,
            )
        return self


class Preparation(Section):
    """The machine that prepares the data."""

    engine: Annotated[
        Literal["auto", "lambda", "processing", "spark"],
        Field(description='"auto", "lambda", "processing" or "spark"'),
    ] = "auto"
    instance_type: Annotated[
        str | None,
        Field(description='the name of an instance type, such as "ml.m5.xlarge"'),
        AfterValidator(optional_instance("processing")),
    ] = None
    instance_count: Annotated[
        int | None, Field(ge=1, le=20, description="a whole number from 1 to 20")
    ] = None
    max_runtime_seconds: Annotated[
        int, Field(ge=60, le=432_000, description="a whole number from 60 to 432000 (5 days)")
    ] = 14_400

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> Self:
        if self.engine == "spark" and not rules_of(info).spark:
            raise fault(
                "not possible in this region, where SageMaker has no Spark image",
                'Set it to "processing", which is one instance.',
                value=self.engine,
                field="engine",
            )
        if self.engine == "lambda" and self.instance_type is not None:
            raise fault(
                'for jobs, and preparation.engine is "lambda"',
                'Leave it out, or set preparation.engine to "processing" or "spark".',
                value=self.instance_type,
                field="instance_type",
            )
        if self.engine in ("lambda", "processing") and self.instance_count not in (None, 1):
            raise fault(
                f'more than one, and preparation.engine is "{self.engine}"',
                'Set it to 1, or preparation.engine to "spark".',
                value=self.instance_count,
                field="instance_count",
            )
        return self


class Training(Section):
    """The training job."""

    instance_type: Annotated[
        str,
        Field(description='the name of an instance type, such as "ml.m5.xlarge"'),
        AfterValidator(instance("training")),
    ] = "ml.m5.xlarge"
    instance_count: Instances = 1
    # Checked and completed by `hyperparameters.resolve`, which reports more than one problem.
    hyperparameters: Annotated[
        dict[str, Any],
        Field(max_length=100, description="an object of at most 100 names and values"),
    ] = Field(default_factory=dict)
    spot: Switch = False
    max_runtime_seconds: Annotated[
        int, Field(ge=60, le=432_000, description="a whole number from 60 to 432000 (5 days)")
    ] = 3600


class Endpoint(Section):
    """The endpoint of the run."""

    enabled: Switch = True
    keep: Switch = False
    ttl_minutes: Annotated[
        int, Field(ge=1, le=10_080, description="a whole number from 1 to 10080 (one week)")
    ] = 60
    instance_type: Annotated[
        str,
        Field(description='the name of an instance type, such as "ml.m5.large"'),
        AfterValidator(instance("endpoint")),
    ] = "ml.m5.large"


class BatchTransform(Section):
    """The batch transform of the run."""

    enabled: Switch = True
    instance_type: Annotated[
        str,
        Field(description='the name of an instance type, such as "ml.m5.large"'),
        AfterValidator(instance("transform")),
    ] = "ml.m5.large"
    instance_count: Instances = 1


class Minimum(Section):
    """The least each metric must reach for the run to pass; those left out are not asked for."""

    auc: Floor = None
    accuracy: Floor = None
    precision: Floor = None
    recall: Floor = None
    f1: Floor = None
    auc_ovr_macro: Floor = None
    precision_macro: Floor = None
    recall_macro: Floor = None
    f1_macro: Floor = None
    r2: Explained = None


class Maximum(Section):
    """The most each metric may be for the run to pass; those left out are not asked for."""

    log_loss: Ceiling = None
    rmse: Ceiling = None
    mae: Ceiling = None


class Evaluation(Section):
    """Where two classes part, and what the metrics must reach.

    The defaults are those of a label of two classes; `parse` takes them back for others.
    """

    threshold: Probability = 0.65
    minimum: Minimum = Minimum(auc=0.8)
    maximum: Maximum = Maximum()

    def asked(self) -> dict[str, dict[str, float]]:
        """Return what is asked of the metrics, those that are not left out."""
        return {
            "minimum": self.minimum.model_dump(exclude_none=True),
            "maximum": self.maximum.model_dump(exclude_none=True),
        }


@dataclass(frozen=True, kw_only=True)
class Sections:
    """All sections; a further one is a field here, and stands in the plan as it is."""

    source: Source
    split: Split
    preparation: Preparation
    training: Training
    endpoint: Endpoint
    batch_transform: BatchTransform
    evaluation: Evaluation


SECTIONS: dict[str, type[Section]] = get_type_hints(Sections)
