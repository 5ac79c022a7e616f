"""The execution input: its fields, their defaults, and every reason to refuse one. Pure.

`parse` is the way in. A field's description completes the sentence "Give ...", so what a field
takes is said once, here.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from ..common import objectives
from . import hyperparameters
from .instances import Use
from .refusal import Problem, closest, refuse, show

# The data set of the teaching notebook (UCI 212, DOI 10.24432/C5K89B). The member's hash is pinned
# rather than the archive's: zips of the same file differ.
UCI = "https://archive.ics.uci.edu/static/public/212/vertebral+column.zip"
UCI_MEMBER = "column_2C_weka.arff"
UCI_MEMBER_SHA256 = "2a9b58f5ff0d13843c17a2e6dcabd1866904fc6bc975d40f860fce3d2ec085da"

# Folders of Spine's own bucket that a person or a program may put sources in.
SOURCE_FOLDERS = ("incoming/", "uploads/")

_SECRET = re.compile(r"signature|token|secret|passw|credential|api[-_]?key|^sig$", re.IGNORECASE)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What this deployment allows: places to read from, and instance types.

    Attributes:
        bucket: Spine's own.
        hosts: Of https sources.
        buckets: Of sources, beside Spine's own.
        instances: The types SageMaker has, by use.
        allowed: Those of them that runs may ask for.
        xgboost: The version of the image that trains, such as "3.2-0".
        spark: Whether SageMaker has its Spark image in this region.
    """

    bucket: str
    hosts: frozenset[str]
    buckets: frozenset[str]
    instances: Mapping[Use, frozenset[str]]
    allowed: frozenset[str]
    xgboost: str
    spark: bool = True


def _fault(
    fault: str, remedy: str, *, value: object = None, field: str = ""
) -> PydanticCustomError:
    """Build the error a validator raises; `fault` completes "<value> is ...".

    A check of a whole section names the `field` it is about, and gives the `value` to show.
    """
    context = {"fault": fault, "remedy": remedy, "field": field}
    if value is not None:
        context["value"] = show(value)
    return PydanticCustomError("spine", "{fault}", context)


def _rules(info: ValidationInfo) -> Rules:
    rules = info.context
    if not isinstance(rules, Rules):
        raise TypeError("the models are validated through parse(), which gives the rules")
    return rules


def _instance(use: Use) -> Callable[[str, ValidationInfo], str]:
    def check(value: str, info: ValidationInfo) -> str:
        rules = _rules(info)
        known = rules.instances[use]
        if value not in known:
            near = (
                closest(value if value.startswith("ml.") else f"ml.{value}", known)
                or 'Give a type such as "ml.m5.large". '
            )
            noun = {
                "training": "a training job",
                "processing": "a processing job",
                "endpoint": "an endpoint",
            }.get(use, "a batch transform")
            raise _fault(
                f"not an instance type SageMaker has for {noun}",
                f"{near}https://aws.amazon.com/sagemaker/pricing lists them.",
            )
        if value not in rules.allowed:
            raise _fault(
                "not among the instance types this deployment allows",
                f"Give one of {', '.join(sorted(rules.allowed & known))}; or add it to "
                "instance_types in cdk.json and deploy again.",
            )
        return value

    return check


def _optional_instance(use: Use) -> Callable[[str | None, ValidationInfo], str | None]:
    check = _instance(use)
    return lambda value, info: None if value is None else check(value, info)


def _visible(value: str) -> str:
    if not value.isprintable():
        raise _fault("text with characters that cannot be printed", "Remove them.")
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


class _Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


Columns = Annotated[
    list[Text], Field(max_length=500, description="a list of at most 500 column names")
]


class Format(_Section):
    """How the data file is written; what is left out is found out."""

    kind: Annotated[
        Literal["arff", "csv", "parquet"] | None,
        Field(description='"arff", "csv" (for any delimiter) or "parquet"'),
    ] = None
    delimiter: Annotated[
        str | None,
        Field(
            pattern=r"^[^\r\n\"\x00A-Za-z0-9.+-]$",
            description="one character that is no part of a number or word, such as a semicolon",
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


class Source(_Section):
    """Where the rows come from, and what in them is to be predicted."""

    uri: Annotated[
        str,
        Field(
            max_length=2048, description="an https:// or s3:// address of at most 2048 characters"
        ),
    ] = UCI
    member: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1024,
            description="the name of a file inside the archive, as text",
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
    drop: Columns = Field(default_factory=list)
    rename: Annotated[
        dict[str, Text],
        Field(max_length=500, description="an object of at most 500 old and new column names"),
    ] = Field(default_factory=dict)
    categorical: Columns = Field(default_factory=list)
    missing: Annotated[Literal["refuse", "pass"], Field(description='"refuse" or "pass"')] = (
        "refuse"
    )
    allow_leakage: Switch = False

    @model_validator(mode="before")
    @classmethod
    def _default_source(cls, given: object) -> object:
        """Without an address, read the notebook's file and hold it to its pinned hash."""
        if not isinstance(given, dict):
            return given
        if given.get("uri") is None:
            given = {**given, "uri": UCI}
            if given.get("member") is None:
                given["member"] = UCI_MEMBER
            if given["member"] == UCI_MEMBER and given.get("sha256") is None:
                given["sha256"] = UCI_MEMBER_SHA256
        return given

    @model_validator(mode="after")
    def _readable(self, info: ValidationInfo) -> Self:
        _check_address(self.uri, _rules(info))
        if self.version_id is not None and not self.uri.startswith("s3://"):
            raise _fault(
                "for S3 objects only",
                "Leave out source.version_id, or give an s3:// address.",
                value=self.version_id,
                field="version_id",
            )
        if self.member is not None and not self.member.isprintable():
            raise _fault(
                "text with characters that cannot be printed",
                "Remove them.",
                value=self.member,
                field="member",
            )
        return self


class Split(_Section):
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
            raise _fault(
                f"{total:.10g} in total, not 1",
                "Make the three shares add up to 1; those left out keep their defaults.",
                value=shares,
            )
        return self


class Preparation(_Section):
    """The machine that prepares the data."""

    engine: Annotated[
        Literal["auto", "lambda", "processing", "spark"],
        Field(description='"auto", "lambda", "processing" or "spark"'),
    ] = "auto"
    instance_type: Annotated[
        str | None,
        Field(description='the name of an instance type, such as "ml.m5.xlarge"'),
        AfterValidator(_optional_instance("processing")),
    ] = None
    instance_count: Annotated[
        int | None, Field(ge=1, le=20, description="a whole number from 1 to 20")
    ] = None
    max_runtime_seconds: Annotated[
        int, Field(ge=60, le=432_000, description="a whole number from 60 to 432000 (5 days)")
    ] = 14_400

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> Self:
        if self.engine == "spark" and not _rules(info).spark:
            raise _fault(
                "not possible in this region, where SageMaker has no Spark image",
                'Set it to "processing", which is one instance.',
                value=self.engine,
                field="engine",
            )
        if self.engine == "lambda" and self.instance_type is not None:
            raise _fault(
                'for jobs, and preparation.engine is "lambda"',
                'Leave it out, or set preparation.engine to "processing" or "spark".',
                value=self.instance_type,
                field="instance_type",
            )
        if self.engine in ("lambda", "processing") and self.instance_count not in (None, 1):
            raise _fault(
                f'more than one, and preparation.engine is "{self.engine}"',
                'Set it to 1, or preparation.engine to "spark".',
                value=self.instance_count,
                field="instance_count",
            )
        return self


class Training(_Section):
    """The training job."""

    instance_type: Annotated[
        str,
        Field(description='the name of an instance type, such as "ml.m5.xlarge"'),
        AfterValidator(_instance("training")),
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


class Endpoint(_Section):
    """The endpoint of the run."""

    enabled: Switch = True
    keep: Switch = False
    ttl_minutes: Annotated[
        int, Field(ge=1, le=10_080, description="a whole number from 1 to 10080 (one week)")
    ] = 60
    instance_type: Annotated[
        str,
        Field(description='the name of an instance type, such as "ml.m5.large"'),
        AfterValidator(_instance("endpoint")),
    ] = "ml.m5.large"


class BatchTransform(_Section):
    """The batch transform of the run."""

    enabled: Switch = True
    instance_type: Annotated[
        str,
        Field(description='the name of an instance type, such as "ml.m5.large"'),
        AfterValidator(_instance("transform")),
    ] = "ml.m5.large"
    instance_count: Instances = 1


class Minimum(_Section):
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


class Maximum(_Section):
    """The most each metric may be for the run to pass; those left out are not asked for."""

    log_loss: Ceiling = None
    rmse: Ceiling = None
    mae: Ceiling = None


class Evaluation(_Section):
    """Where two classes part, and what the metrics must reach.

    The defaults are those of a label of two classes; `_suited` takes them back for others.
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
class ExecutionInput:
    """Everything the person running it may give, checked and completed."""

    source: Source
    split: Split
    preparation: Preparation
    training: Training
    endpoint: Endpoint
    batch_transform: BatchTransform
    evaluation: Evaluation
    hyperparameters: Mapping[str, str]

    @property
    def task(self) -> objectives.Task:
        """What the label is for."""
        return objectives.OBJECTIVES[self.hyperparameters["objective"]].task


_SECTIONS: dict[str, type[_Section]] = {
    "source": Source,
    "split": Split,
    "preparation": Preparation,
    "training": Training,
    "endpoint": Endpoint,
    "batch_transform": BatchTransform,
    "evaluation": Evaluation,
}

# The whole plan travels through every state; the largest sensible input is far below this.
_MOST_BYTES = 16_384
_DEEPEST = 6


def parse(given: object, rules: Rules) -> ExecutionInput:
    """Check an execution input and fill in its defaults.

    Raises:
        InvalidInputError: Something in it cannot be run; the message lists every problem.
    """
    if not isinstance(given, dict):
        raise refuse([Problem("input", f"{show(given)} is {_kind(given)}", "Give an object: {}.")])
    _refuse_bulk(given)
    problems = [
        _unknown(name, value, siblings=_SECTIONS)
        for name, value in given.items()
        if name not in _SECTIONS
    ]
    checked: dict[str, Any] = {}
    for name, section in _SECTIONS.items():
        try:
            checked[name] = section.model_validate(given.get(name, {}), context=rules)
        except ValidationError as error:
            problems.extend(
                _explain(name, section, detail) for detail in error.errors(include_url=False)
            )
        if name == "training":
            strings, wrong = hyperparameters.resolve(
                _given_hyperparameters(given), image=rules.xgboost
            )
            problems.extend(wrong)
    if {"source", "evaluation"} <= checked.keys() and not wrong:
        problems.extend(_unsuited(strings["objective"], checked["source"], checked["evaluation"]))
        checked["evaluation"] = _suited(strings["objective"], checked["evaluation"])
    if {"endpoint", "batch_transform", "evaluation"} <= checked.keys():
        problems.extend(_keeping(**checked))
    if problems:
        raise refuse(problems)
    return ExecutionInput(**checked, hyperparameters=strings)


def _given_hyperparameters(given: Mapping[str, Any]) -> dict[str, Any]:
    training = given.get("training")
    values = training.get("hyperparameters") if isinstance(training, dict) else None
    return values if isinstance(values, dict) else {}


def _keeping(
    *, endpoint: Endpoint, batch_transform: BatchTransform, evaluation: Evaluation, **_: object
) -> Iterator[Problem]:
    if not endpoint.keep:
        return
    if not endpoint.enabled:
        yield Problem(
            "endpoint.keep",
            "true is not possible without an endpoint",
            "Set endpoint.enabled to true, or endpoint.keep to false.",
        )
    for bound, asked in evaluation.asked().items():
        if not batch_transform.enabled and asked:
            yield Problem(
                "endpoint.keep",
                f"true is to be granted by evaluation.{bound}, {show(asked)}, but nothing is"
                " measured while batch_transform.enabled is false",
                f"Set batch_transform.enabled to true, or evaluation.{bound} to {{}}.",
            )


def _unsuited(objective: str, source: Source, evaluation: Evaluation) -> Iterator[Problem]:
    """Yield what is given of the label and the metrics and means nothing to the objective."""
    with_objective = f'with the objective "{objective}"'
    least, most = objectives.gated(objective)
    for bound, names in (("minimum", least), ("maximum", most)):
        section: Minimum | Maximum = getattr(evaluation, bound)
        for name, value in section.model_dump(exclude_none=True).items():
            if name not in names and bound in evaluation.model_fields_set:
                yield Problem(
                    f"evaluation.{bound}.{name}",
                    f"{show(value)} is asked of a metric that is not measured {with_objective}",
                    f"There, evaluation.minimum takes {', '.join(least)}"
                    f" and evaluation.maximum {', '.join(most) or 'none'}.",
                )
    if objectives.OBJECTIVES[objective].task == "binary":
        return
    for path, section_given, field, value in (
        ("source.positive", source, "positive", source.positive),
        ("source.rest", source, "rest", source.rest),
        ("evaluation.threshold", evaluation, "threshold", evaluation.threshold),
    ):
        # What is false is not asked for.
        if field in section_given.model_fields_set and value is not False:
            yield Problem(
                path,
                f"{show(value)} tells two classes apart, which is not done {with_objective}",
                "Leave it out, or set the objective to binary:logistic.",
            )


def _suited(objective: str, evaluation: Evaluation) -> Evaluation:
    """Take back the default minimum where its metric is not measured."""
    binary = objectives.OBJECTIVES[objective].task == "binary"
    if binary or "minimum" in evaluation.model_fields_set:
        return evaluation
    return evaluation.model_copy(update={"minimum": Minimum()})


def _refuse_bulk(given: dict[str, Any]) -> None:
    layer: list[Any] = [given]
    for _ in range(_DEEPEST):
        layer = [
            inner
            for value in layer
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    if layer:
        raise refuse(
            [
                Problem(
                    "input",
                    f"the object is nested deeper than {_DEEPEST} levels",
                    "No field needs more than four.",
                )
            ]
        )
    size = len(json.dumps(given, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > _MOST_BYTES:
        raise refuse(
            [
                Problem(
                    "input",
                    f"the object has {size} bytes, more than {_MOST_BYTES}",
                    "Put data in a file and name it in source.uri.",
                )
            ]
        )


def _explain(section_name: str, section: type[_Section], detail: ErrorDetails) -> Problem:
    """Turn one pydantic error into a problem in the words of the input."""
    context = detail.get("ctx", {})
    location = [str(part) for part in detail["loc"]]
    if detail["type"] == "spine":
        path = ".".join([section_name, *location, *context.get("field", "").split()])
        shown = context.get("value") or show(detail["input"])
        return Problem(path, f"{shown} is {context['fault']}", context["remedy"])
    if detail["type"] == "extra_forbidden":
        *parents, name = location
        owner = _descend(section, parents)
        return _unknown(
            name,
            detail["input"],
            parents=[section_name, *parents],
            siblings=[field.alias or key for key, field in owner.model_fields.items()],
        )
    path = ".".join([section_name, *location])
    if detail["type"] == "model_type":
        return Problem(
            path,
            f"{show(detail['input'])} is {_kind(detail['input'])}",
            "Give an object such as {}, or leave the field out for its defaults.",
        )
    name, field = _field(section, location)
    fault = (
        _kind(detail["input"])
        if detail["type"].endswith("_type")
        else "empty"
        if detail["input"] == ""
        else "not within what the field takes"
    )
    value = detail["input"]
    if isinstance(value, str) and name == "uri":
        value = _without_secrets(value)
    return Problem(path, f"{show(value)} is {fault}", f"Give {field.description}.")


def _field(section: type[BaseModel], path: list[str]) -> tuple[str, FieldInfo]:
    """Return the field a location leads to; what follows it is a place in a list or an object."""
    owner = section
    for name in path:
        name_in_model, field = next(
            (key, field) for key, field in owner.model_fields.items() if name in (key, field.alias)
        )
        inner = owner.model_fields[name_in_model].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        owner = inner
    return name, field


def _descend(section: type[BaseModel], path: list[str]) -> type[BaseModel]:
    for name in path:
        inner = section.model_fields[name].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            section = inner
    return section


def _unknown(
    name: str, value: object, *, siblings: Iterable[str], parents: Sequence[str] = ()
) -> Problem:
    path = ".".join([*parents, show(name)[1:-1]])
    hint = closest(name, siblings)
    if not hint:
        places = {
            field.alias or key: f"{section_name}.{field.alias or key}"
            for section_name, section in _SECTIONS.items()
            for key, field in section.model_fields.items()
        }
        hint = closest(name, places)
        for field_name, place in places.items():
            hint = hint.replace(f'"{field_name}"', f'"{place}"')
    return Problem(
        path,
        f"{show(value)} is given to a field that does not exist",
        f"{hint}The fields here are {', '.join(siblings)}.",
    )


def _kind(value: object) -> str:
    """Name a JSON value's type the way a person would."""
    if value is None:
        return "no value"
    if isinstance(value, bool):
        return "a truth value"
    for kind, noun in ((str, "text"), (dict, "an object"), (list, "a list")):
        if isinstance(value, kind):
            return noun
    return "a number"


def _check_address(uri: str, rules: Rules) -> None:
    """Refuse an address that is not on the lists, or that hides where it leads.

    Raises:
        PydanticCustomError: With the reason; the address is shown without any credentials.
    """
    if not uri.isprintable():
        raise _address_fault(uri, "not an address: it has control characters")
    if uri.startswith("s3://"):
        _check_object(uri, rules)
    elif uri.startswith("https://"):
        _check_web(uri, rules)
    else:
        raise _address_fault(uri, "neither an https:// nor an s3:// address")


def _address_fault(uri: str, fault: str, remedy: str = "") -> PydanticCustomError:
    return _fault(
        fault,
        remedy or "Give an https:// or s3:// address, or leave source out for the UCI data set.",
        value=_without_secrets(uri),
        field="uri",
    )


def _without_secrets(uri: str) -> str:
    """Drop what may be a secret, before "@" and after "?": causes stay in the history."""
    return re.sub(r"//[^/]*@", "//...@", uri.partition("?")[0])


def _check_web(uri: str, rules: Rules) -> None:
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        # A host whose characters turn into others when they are normalized, or a broken IPv6 one.
        fault = "an address whose host cannot be read"
        raise _address_fault(uri, fault, "Write the host in plain letters.") from error
    hosts = ", ".join(sorted(rules.hosts)) or "none"
    if any(c in uri for c in " \\"):
        raise _address_fault(uri, "an address with blanks or backslashes", "Write blanks as %20.")
    if "@" in parts.netloc:
        raise _address_fault(uri, "an address with credentials", "Remove them.")
    if ":" in parts.netloc:
        raise _address_fault(uri, "an address with a port", "Remove it; https uses 443.")
    if parts.netloc.lower() not in rules.hosts:
        raise _address_fault(
            uri,
            "not on a host that this deployment may read from",
            f"Allowed: {hosts}. Or upload the file to s3://{rules.bucket}/{SOURCE_FOLDERS[0]} and"
            " give that address.",
        )
    if "#" in uri:
        raise _address_fault(uri, "an address with a fragment", 'Remove "#" and what follows.')
    if any(_SECRET.search(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise _address_fault(
            uri,
            "an address with a secret in its query, which the execution history would keep",
            f"Upload the file to s3://{rules.bucket}/{SOURCE_FOLDERS[0]} and give that address.",
        )
    if parts.path.endswith("/") or not parts.path:
        raise _address_fault(uri, "the address of a folder", "Give the address of one file.")


def _check_object(uri: str, rules: Rules) -> None:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise _address_fault(uri, "without a bucket's name", "Give it as s3://bucket/key.")
    if bucket != rules.bucket and bucket not in rules.buckets:
        allowed = ", ".join([f"{rules.bucket} (this deployment's own)", *sorted(rules.buckets)])
        raise _address_fault(
            uri, "not in a bucket that this deployment may read from", f"Allowed: {allowed}."
        )
    if not key or key.endswith("/"):
        raise _address_fault(uri, "a folder or a bucket", "Give the address of one file.")
    # S3 itself takes such keys literally, but a client or proxy on the way may not.
    if any(part in ("", ".", "..") for part in key.split("/")):
        raise _address_fault(
            uri, 'a key with ".", ".." or nothing between two slashes', "Rename the object."
        )
    if bucket == rules.bucket and not key.startswith(SOURCE_FOLDERS):
        raise _address_fault(
            uri,
            "in a folder that sources are not read from",
            f"Put the file under {' or '.join(SOURCE_FOLDERS)} in this bucket.",
        )
