"""Filters and joins of batch transforms."""

import pytest

from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.filters import Processing, selector
from tests.localcloud.sagemaker.cloud import Cloud, make_table, refused, to_csv


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("$[1:]", ["b", "c", "d"]),
        ("$[:-1]", ["a", "b", "c"]),
        ("$[1:3]", ["b", "c"]),
        ("$[0]", ["a"]),
        ("$[0,-1]", ["a", "d"]),
        ("$[ 2 , 1 ]", ["c", "b"]),
    ],
)
def test_a_filter_selects_columns(path: str, kept: list[str]) -> None:
    """Indexes and slices select as the developer guide describes."""
    select = selector(path)
    assert select is not None
    assert select(["a", "b", "c", "d"]) == kept


@pytest.mark.parametrize("path", [None, "$"])
def test_the_whole_row_is_no_filter(path: str | None) -> None:
    """`$` selects everything, as does leaving the filter out."""
    assert selector(path) is None


@pytest.mark.parametrize("path", ["[]", "1", "$.name", "$[1", "$['a']", "$[a]"])
def test_other_paths_do_not_filter_csv(path: str) -> None:
    """What names no columns by number is refused, saying what does."""
    with pytest.raises(ValueError, match="does not filter CSV"):
        selector(path)


def test_a_missing_column_fails_the_job() -> None:
    """A filter that names a column beyond the row is the client's error."""
    select = selector("$[4]")
    assert select is not None
    with pytest.raises(JobError, match="a row of 2 columns"):
        select(["a", "b"])


def test_quoted_values_stay_quoted() -> None:
    """A value that holds a comma is one column, before and after."""
    processing = Processing(before=selector("$[1:]"), after=None, joined=True)
    payload = b'"a,b",2\n'
    assert processing.request(payload) == b"2\n"
    assert processing.answer(payload, b"0.5\n") == b'"a,b",2,0.5\n'


def test_a_join_needs_an_answer_for_each_record() -> None:
    """Fewer predictions than records cannot be joined."""
    processing = Processing(before=None, after=None, joined=True)
    with pytest.raises(JobError, match="mismatched line count between the input and the output"):
        processing.answer(b"1\n2\n", b"0.5\n")


@pytest.mark.parametrize("strategy", ["MultiRecord", "SingleRecord"])
def test_rows_keep_their_identity(cloud: Cloud, endpoint: str, strategy: str) -> None:
    """An id that the model does not get stands beside its prediction in the output."""
    table = make_table(20)[:, 1:]
    rows = to_csv(table).splitlines()
    cloud.put("identified/rows.csv", "".join(f"id-{n},{row}\n" for n, row in enumerate(rows)))
    name = f"identified-{strategy}"
    request = cloud.transform_request(
        name,
        BatchStrategy=strategy,
        DataProcessing={
            "InputFilter": "$[1:]",
            "JoinSource": "Input",
            "OutputFilter": "$[0,-1]",
        },
    )
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    source["S3Uri"] = source["S3Uri"].replace("batch-in", "identified")
    cloud.sagemaker.create_transform_job(**request)
    job = cloud.wait_for_transform(name)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert job["DataProcessing"]["JoinSource"] == "Input"

    lines = [line.split(",") for line in cloud.read(f"out/{name}/rows.csv.out").splitlines()]
    assert [line[0] for line in lines] == [f"id-{n}" for n in range(20)]
    answers = cloud.invoke(endpoint, "\n".join(rows))["Body"].read().decode().split()
    assert [line[1] for line in lines] == answers


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("DataProcessing", {"InputFilter": "$.a"}, "does not filter CSV"),
        ("TransformInput", {"SplitType": "None"}, "DataProcessing needs SplitType Line"),
        ("TransformOutput", {"AssembleWith": "None"}, "DataProcessing needs AssembleWith Line"),
        ("TransformInput", {"ContentType": "text/libsvm"}, "'text/libsvm'"),
    ],
)
def test_a_join_needs_lines_of_csv(
    cloud: Cloud, part: str, change: dict[str, str], message: str
) -> None:
    """A join of what is not split into lines of CSV is refused at once, by field."""
    request = cloud.transform_request("unjoinable", DataProcessing={"JoinSource": "Input"})
    request[part] = request[part] | change
    code, text = refused(lambda: cloud.sagemaker.create_transform_job(**request))
    assert code == "ValidationException"
    assert message in text
