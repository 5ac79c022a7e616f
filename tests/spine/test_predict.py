"""`spine predict`."""

import json
from pathlib import Path

import pytest

from tests.spine import fakes
from tests.spine.conftest import Spine

ROW = "0.9,2,3,4,5,6"


@pytest.fixture
def serving(cloud: fakes.Cloud) -> fakes.Cloud:
    """A cloud with one endpoint in service, whose run is known."""
    cloud.sagemaker.endpoints = {fakes.ENDPOINT: "InService", "not-spine-dev-ours": "InService"}
    cloud.sagemaker.tags = {"spine:execution": fakes.execution_arn("first")}
    cloud.states.events = fakes.story().events
    return cloud


def test_the_only_endpoint_is_asked(serving: fakes.Cloud, spine: Spine) -> None:
    """Without a name the endpoint in service answers; classes follow the run's threshold."""
    result = spine("predict", "--row", ROW, "--row", "0.65, 2, 3, 4, 5, 6")
    assert result.exit_code == 0
    assert "0.9000   Abnormal" in result.stdout
    # As in the notebook: only above the threshold, not at it.
    assert "0.6500   Normal" in result.stdout


def test_json_has_probability_class_and_name(serving: fakes.Cloud, spine: Spine) -> None:
    """--json prints what programs need."""
    document = json.loads(spine("predict", "-r", ROW, "--json").stdout)
    assert document["endpoint"] == fakes.ENDPOINT
    assert document["predictions"] == [
        {"row": 1, "probability": 0.9, "class": 1, "name": "Abnormal"}
    ]


def test_rows_come_from_a_file_or_standard_input(
    serving: fakes.Cloud, spine: Spine, tmp_path: Path
) -> None:
    """Blank lines are no rows, and a byte order mark is no value."""
    file = tmp_path / "rows.csv"
    file.write_text(f"\ufeff{ROW}\n\n{ROW}\n", encoding="utf-8")
    spine("predict", "--file", str(file))
    spine("predict", stdin=f"{ROW}\n")
    assert serving.runtime.bodies == [f"{ROW}\n{ROW}\n", f"{ROW}\n"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1,2,3,4,5", "has 5 values; the model takes 6"),
        ("1,2,3,4,5,6,7", "Leave the label out"),
        ("a,b,c,d,e,f", "A header line has to go"),
        ("1,2,3,4,5,nan", "'nan' is not a number"),
        (" ", "holds no row"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_before_it_is_sent(
    serving: fakes.Cloud, spine: Spine, row: str, words: str
) -> None:
    """The container would score a row of the wrong width in silence; the command refuses it."""
    result = spine("predict", "--row", row)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert not serving.runtime.bodies


def test_an_endpoint_goes_by_its_run_s_name_or_a_part(serving: fakes.Cloud, spine: Spine) -> None:
    """Full names are long: the run's name and an unmistakable part do."""
    for name in (fakes.ENDPOINT, "first", "0a1b"):
        assert spine("predict", name, "-r", ROW).exit_code == 0


def test_several_endpoints_must_be_named(serving: fakes.Cloud, spine: Spine) -> None:
    """Which one is meant is asked, with their names."""
    serving.sagemaker.endpoints["spine-dev-other"] = "InService"
    result = spine("predict", "-r", ROW)
    assert result.exit_code == 2
    assert "spine-dev-other" in result.stderr


def test_without_an_endpoint_it_says_how_to_keep_one(cloud: fakes.Cloud, spine: Spine) -> None:
    """No endpoint in service: the remedy is the run that keeps one."""
    result = spine("predict", "-r", ROW)
    assert result.exit_code == 1
    assert '"keep": true' in result.stderr


def test_an_endpoint_that_does_not_serve_yet_is_said(serving: fakes.Cloud, spine: Spine) -> None:
    """An endpoint being created is named with its status."""
    serving.sagemaker.endpoints[fakes.ENDPOINT] = "Creating"
    result = spine("predict", "-r", ROW)
    assert result.exit_code == 1
    assert "is Creating, not InService" in " ".join(result.stderr.split())


def test_many_rows_are_sent_in_requests_that_the_service_takes(
    serving: fakes.Cloud, spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows beyond the limit of one request go on in the next, in order."""
    monkeypatch.setattr("spine.predict._REQUEST_BYTES", 30)
    rows = "".join(f"0.{number},2,3,4,5,6\n" for number in range(1, 6))
    document = json.loads(spine("predict", "--json", stdin=rows).stdout)
    assert [found["probability"] for found in document["predictions"]] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert len(serving.runtime.bodies) == 3


@pytest.mark.parametrize(
    ("objective", "answer", "told", "shown"),
    [
        (
            "multi:softprob",
            "0.1,0.7,0.2\n",
            {"probability": 0.7, "class": 1, "name": "b", "probabilities": [0.1, 0.7, 0.2]},
            "0.7000   b",
        ),
        (
            "multi:softprob",
            "[0.1, 0.7, 0.2]",
            {"probability": 0.7, "class": 1, "name": "b", "probabilities": [0.1, 0.7, 0.2]},
            "0.7000   b",
        ),
        ("multi:softmax", "2.0\n", {"class": 2, "name": "c"}, "c"),
        ("reg:squarederror", "-151.25\n", {"prediction": -151.25}, "-151.25"),
    ],
)
def test_what_is_told_follows_the_objective(
    serving: fakes.Cloud,
    spine: Spine,
    objective: str,
    answer: str,
    told: dict[str, object],
    shown: str,
) -> None:
    """Of several classes the likeliest and each probability, of a number the prediction."""
    serving.states.events = fakes.story(
        objective=objective,
        threshold=None,
        classes={"0": "a", "1": "b", "2": "c"} if objective.startswith("multi:") else {},
    ).events
    serving.runtime.answer = answer
    document = json.loads(spine("predict", "-r", ROW, "--json").stdout)
    assert document["predictions"] == [{"row": 1, **told}]
    assert shown in spine("predict", "-r", ROW).stdout


def test_a_score_is_shown_as_the_probability_it_stands_for(
    serving: fakes.Cloud, spine: Spine
) -> None:
    """binary:logitraw answers with log-odds, which the threshold is not meant for."""
    serving.states.events = fakes.story(objective="binary:logitraw").events
    serving.runtime.answer = "0.0\n"
    (found,) = json.loads(spine("predict", "-r", ROW, "--json").stdout)["predictions"]
    assert found == {"row": 1, "probability": 0.5, "class": 0, "name": "Normal"}
