"""What there is: the cloud, its stacks, the latest runs, and endpoints that are left."""

import json

from tests.spine import fakes
from tests.spine.conftest import Spine


def test_status_of_nothing(cloud: fakes.Cloud, spine: Spine) -> None:
    """Without a cloud there is nothing else to say."""
    spine("down")
    assert "not running" in spine("status").stdout
    assert json.loads(spine("status", "--json").stdout)["cloud"] is None


def test_status_shows_runs_and_endpoints(cloud: fakes.Cloud, spine: Spine) -> None:
    """Runs newest first with status and duration, endpoints with the end of their time."""
    cloud.formation.deployed = 1
    cloud.states.started = {"first": {}, "second": {}}
    cloud.sagemaker.endpoints = {fakes.ENDPOINT: "InService"}
    cloud.sagemaker.tags = {"spine:keep-until": "2099-01-01T00:00:00Z"}
    shown = spine("status").stdout
    assert shown.index("second") < shown.index("first")
    assert "8.0 s" in shown
    assert fakes.ENDPOINT in shown
    assert "2099" in shown
    document = json.loads(spine("status", "--json", "--limit", "1").stdout)
    assert [run["name"] for run in document["executions"]] == ["second"]
    assert document["endpoints"][0]["until"] == "2099-01-01T00:00:00+00:00"


def test_status_tells_the_runs_of_several_pipelines_apart(cloud: fakes.Cloud, spine: Spine) -> None:
    """Those of all machines by time, each with its label, and no more than were asked for."""
    cloud.formation.deployed = 1
    cloud.formation.further = {"Preparing": fakes.PREPARING}
    cloud.states.started = {"first": {}, "second": {}}
    cloud.states.preparing = {"between": {}}
    title, header, *lines = [
        line for line in spine("status").stdout.partition("Latest")[2].splitlines() if line.strip()
    ]
    assert title.strip() == "runs"
    assert header.split() == ["name", "pipeline", "status", "started", "took"]
    runs = [line.split()[:2] for line in lines if "SUCCEEDED" in line]
    assert runs == [["second", "SUCCEEDED"], ["between", "Preparing"], ["first", "SUCCEEDED"]]
    document = json.loads(spine("status", "--json", "--limit", "2").stdout)
    assert [(run["name"], run["pipeline"]) for run in document["executions"]] == [
        ("second", ""),
        ("between", "Preparing"),
    ]


def test_status_of_one_pipeline_says_nothing_of_pipelines(cloud: fakes.Cloud, spine: Spine) -> None:
    """Neither as a column nor in the JSON."""
    cloud.formation.deployed = 1
    cloud.states.started = {"first": {}}
    assert "pipeline " not in spine("status").stdout.partition("Latest")[2]
    (run,) = json.loads(spine("status", "--json").stdout)["executions"]
    assert run.keys() == {"name", "arn", "status", "started", "seconds"}


def test_an_endpoint_past_its_time_is_said_to_be(cloud: fakes.Cloud, spine: Spine) -> None:
    """Between the end of its time and the sweeper an endpoint is shown as due."""
    cloud.sagemaker.endpoints = {fakes.ENDPOINT: "InService"}
    cloud.sagemaker.tags = {"spine:keep-until": "2020-01-01T00:00:00Z"}
    assert "about to be deleted" in spine("status").stdout
