"""`spine run`: source, start, states, results, failures."""

import json
from pathlib import Path

import pytest

from spine import run, sources
from tests.spine import fakes
from tests.spine.conftest import Spine
from tests.spine.stories import Story


@pytest.fixture
def ready(cloud: fakes.Cloud) -> fakes.Cloud:
    """A cloud whose runs succeed and write a report."""
    cloud.states.events = fakes.story().events
    key = fakes.output()["artifacts"]["report"].removeprefix(f"s3://{fakes.BUCKET}/")
    cloud.s3.objects[key] = b"<html>report</html>"
    return cloud


def given(cloud: fakes.Cloud) -> dict[str, object]:
    """The input of the only execution."""
    (found,) = cloud.states.started.values()
    return found


def test_a_run_deploys_first_and_not_again(ready: fakes.Cloud, spine: Spine) -> None:
    """The first run deploys; the second finds the same sources deployed and only runs."""
    first, second = spine("run"), spine("run")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "Deploy the app" in first.stdout
    assert "Deploy" not in second.stdout
    assert ready.formation.deployed == 1


def test_a_run_deploys_again_when_the_stacks_are_not_those_it_deployed(
    ready: fakes.Cloud, spine: Spine
) -> None:
    """Stacks that someone else deployed meanwhile are not taken for the sources' own."""
    spine("run")
    ready.formation.deployed = 7
    assert "Deploy the app again" in spine("run").stdout


def test_the_results_are_shown(ready: fakes.Cloud, spine: Spine, home: Path) -> None:
    """Metrics, confusion matrix, gate, predictions, artifacts, the report and what is left."""
    shown = spine("run").stdout
    for words in ("0.8905", "17", "passed", "0.9967", "none left", "evaluation/report.html"):
        assert words in shown
    report = home / "runs" / fakes.RUN / "report.html"
    assert report.read_bytes() == b"<html>report</html>"
    assert report.as_uri() in shown


def test_json_prints_the_output_alone(ready: fakes.Cloud, spine: Spine) -> None:
    """With --json standard output is the execution output, progress goes to standard error."""
    result = spine("run", "--json")
    assert json.loads(result.stdout) == fakes.output()
    assert "Plan the run" in result.stderr


def test_without_a_source_the_plan_chooses_uci(ready: fakes.Cloud, spine: Spine) -> None:
    """Nothing given: the input is empty, its default is UCI."""
    spine("run")
    assert given(ready) == {}


def test_the_copy_of_uci_is_named_where_it_was_read(ready: fakes.Cloud, spine: Spine) -> None:
    """The run itself says why; results read from UCI say nothing of a copy."""
    assert "copy that ships" not in spine("run").stdout
    output = fakes.output()
    output["data"]["source"]["fallback"] = "Read from the copy that ships with Spine. Why."
    ready.states.result = output
    assert "the copy that ships with Spine" in spine("run").stdout


def test_a_local_file_is_uploaded_once_by_content(
    ready: fakes.Cloud, spine: Spine, tmp_path: Path
) -> None:
    """The key holds the hash and a plain name, outside incoming/; the second run finds it there."""
    file = tmp_path / "my data (1).csv"
    file.write_text("a,class\n1,x\n")
    for _ in range(2):
        spine("run", "--source", str(file), "--input", '{"source": {"label": "class"}}')
    (key,) = ready.s3.uploads
    assert key == f"uploads/{sources.sha256_of(file)[:12]}/my-data-1-.csv"
    first = next(iter(ready.states.started.values()))
    assert first == {"source": {"label": "class", "uri": f"s3://{fakes.BUCKET}/{key}"}}


def test_a_remote_source_is_read_by_the_run_itself(ready: fakes.Cloud, spine: Spine) -> None:
    """An address goes into the input as it is."""
    spine("run", "-s", "https://host.org/a.csv", "-i", '{"split": {"seed": 1}}')
    assert given(ready) == {"split": {"seed": 1}, "source": {"uri": "https://host.org/a.csv"}}
    assert not ready.s3.uploads


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "nowhere.csv"], "no file nowhere.csv"),
        (["--source", "http://host/a.csv"], "http://"),
        (["--input", "{"], "is not JSON"),
        (["--input", "[1]"], "list, not an object"),
        (["--input", "nowhere.json"], "neither JSON nor a file"),
        (["--name", "a b"], "'a b'"),
        (["-s", "s3://b/k", "-i", '{"source": {"uri": "s3://b/k"}}'], "given twice"),
        (["--timeout", "soon"], "--timeout"),
    ],
)
def test_what_is_typed_wrong_is_refused_before_anything_starts(
    ready: fakes.Cloud, spine: Spine, arguments: list[str], words: str
) -> None:
    """Mistakes in the command exit with 2 and say what is wrong; nothing is deployed or started."""
    result = spine("run", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert ready.formation.deployed == 0
    assert not ready.states.started


@pytest.fixture
def preparing(ready: fakes.Cloud) -> fakes.Cloud:
    """The same cloud, whose app has a pipeline more, which makes neither model nor endpoint."""
    ready.formation.further = {"Preparing": fakes.PREPARING}
    return ready


@pytest.mark.parametrize("label", ["Preparing", "preparing", "PREPARING"])
def test_a_further_pipeline_is_run_by_its_label(
    preparing: fakes.Cloud, spine: Spine, label: str
) -> None:
    """Its machine is started, its states are shown, and of its output what is there."""
    preparing.states.result = {key: fakes.output()[key] for key in ("run", "data")}
    result = spine("run", "--pipeline", label, "--name", "only-data")
    assert result.exit_code == 0, result.stderr
    assert not preparing.states.started
    assert preparing.states.preparing == {"only-data": {}}
    for words in ("Prepare the data", "only-data", "310 with 6 features"):
        assert words in result.stdout
    for words in ("Gate", "Endpoint", "Artifacts"):
        assert words not in result.stdout


def test_the_json_of_a_further_pipeline_is_its_output(preparing: fakes.Cloud, spine: Spine) -> None:
    """As it is."""
    preparing.states.result = {key: fakes.output()[key] for key in ("run", "data")}
    result = spine("run", "--pipeline", "Preparing", "--json")
    assert json.loads(result.stdout) == preparing.states.result


def test_without_a_label_the_first_pipeline_is_run(preparing: fakes.Cloud, spine: Spine) -> None:
    """Also where there are several."""
    assert spine("run", "--name", "usual").exit_code == 0
    assert preparing.states.started == {"usual": {}}
    assert not preparing.states.preparing


def test_an_unknown_pipeline_is_refused_with_those_that_are_known(
    preparing: fakes.Cloud, spine: Spine, tmp_path: Path
) -> None:
    """Nothing is uploaded or started; where there is one only, it says that."""
    file = tmp_path / "data.csv"
    file.write_text("a,class\n1,x\n")
    asked = ("run", "--pipeline", "Serving", "--source", str(file))
    several = spine(*asked)
    preparing.formation.further = {}
    preparing.formation.deployed += 1
    single = spine(*asked)
    assert (several.exit_code, single.exit_code) == (2, 2)
    for result in (several, single):
        assert "no pipeline 'Serving'" in result.stderr
    assert "Preparing" in several.stderr
    assert "It has one only" in single.stderr
    assert not preparing.s3.uploads
    assert not preparing.states.started | preparing.states.preparing


def test_a_name_is_used_once(ready: fakes.Cloud, spine: Spine) -> None:
    """The second run of a name is refused with a remedy."""
    assert spine("run", "--name", "first").exit_code == 0
    result = spine("run", "--name", "first")
    assert result.exit_code == 2
    assert "already" in result.stderr


def test_a_failure_shows_state_error_cause_remedy_and_logs(
    ready: fakes.Cloud, spine: Spine
) -> None:
    """A failed execution exits with 1 and tells where, what, what to do, and which log to read."""
    story = Story()
    story.enter("Plan the run")
    story.schedule()
    cause = json.dumps({"errorMessage": "evaluation.threshold: 2 is too large", "stackTrace": []})
    story.add("TaskFailed", error="InvalidInputError", cause=cause)
    story.leave("Plan the run")
    ready.states.events = story.events
    ready.states.status, ready.states.error, ready.states.cause = (
        "FAILED",
        "InvalidInputError",
        cause,
    )
    result = spine("run", "--name", "bad")
    assert result.exit_code == 1
    for words in ("Plan the run", "InvalidInputError", "threshold: 2 is too large", "--input"):
        assert words in result.stdout
    assert "spine logs bad" in result.stdout
    assert "stackTrace" not in result.stdout


def test_a_failed_run_prints_no_json(ready: fakes.Cloud, spine: Spine) -> None:
    """With --json a failure leaves standard output empty: there is no output to parse."""
    ready.states.status, ready.states.error, ready.states.cause = "FAILED", "Boom", "it broke"
    result = spine("run", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "it broke" in result.stderr


def test_a_run_over_its_time_is_stopped(ready: fakes.Cloud, spine: Spine) -> None:
    """--timeout ends the execution, which exits with 1 and says so."""
    ready.states.looks = 10**9
    result = spine("run", "--timeout", "1")
    assert result.exit_code == 1
    assert ready.states.stopped[0] == "Timeout"
    assert "--timeout" in result.stdout


def test_ctrl_c_stops_the_execution(
    ready: fakes.Cloud, spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupted command stops what it started and exits with 130."""
    ready.states.looks = 10**9
    naps = iter([None])

    def sleep(_: float) -> None:
        if next(naps, "over") == "over" and not ready.states.stopped:
            raise KeyboardInterrupt

    monkeypatch.setattr("spine.run.time.sleep", sleep)
    result = spine("run")
    assert result.exit_code == 130
    assert ready.states.stopped[0] == "Interrupted"


def test_an_endpoint_that_is_left_comes_with_the_command_to_call_it(
    ready: fakes.Cloud, spine: Spine
) -> None:
    """The results say until when it stays and give a row of the test split to try."""
    left = {"left": True, "name": fakes.ENDPOINT, "until": "2026-01-01T13:00:00Z"}
    ready.states.result = fakes.output(endpoint=left)
    ready.s3.objects[f"runs/{fakes.RUN}/batch-in/batch-in.csv"] = b"63.0278175,22.5,1e1\n1,2,3\n"
    shown = spine("run", "--name", "first").stdout
    assert 'spine predict first --row "63.0278,22.5,10"' in shown
    assert "left until" in shown


def test_a_gate_that_is_not_passed_is_shown_with_what_fell_short(
    ready: fakes.Cloud, spine: Spine
) -> None:
    """The run succeeded, and the result says which metric is below which minimum."""
    check = {"metric": "auc", "minimum": 0.95, "value": 0.8905, "passed": False}
    ready.states.result = fakes.output(quality_gate={"passed": False, "checks": [check]})
    result = spine("run")
    assert result.exit_code == 0
    assert "not passed: auc 0.8905 is below 0.95" in result.stdout


def test_without_the_batch_the_endpoint_s_predictions_are_all_there_is(
    ready: fakes.Cloud, spine: Spine
) -> None:
    """No metrics, no report: the results say that nothing was measured."""
    ready.states.result = fakes.output(
        metrics=None, quality_gate={"passed": None, "checks": []}, artifacts={}
    )
    shown = spine("run").stdout
    assert "not measured" in shown
    assert "0.9967" in shown
    assert "Report" not in shown


def test_only_new_pages_of_the_history_are_read() -> None:
    """After the first look, reading stops at the first page that holds a known event."""
    told = fakes.story()
    states = fakes.States(events=told.events[:8], page_size=3, looks=9)
    log = run.History(states, fakes.execution_arn("first"))
    log.refresh()
    assert states.history_calls == [3, 3, 2]
    states.history_calls.clear()
    states.events = told.events
    log.refresh()
    assert sum(states.history_calls) < len(told.events)
    assert [state.name for state in log.states] == ["Plan the run", "Prepare the data"]


def test_the_results_of_several_classes_are_shown(ready: fakes.Cloud, spine: Spine) -> None:
    """Macro metrics with both bounds of the gate, a small matrix, and classes by name."""
    ready.states.result = fakes.output(
        data={**fakes.output()["data"], "classes": {"0": "Barbera", "1": "Barolo", "2": "Nero"}},
        metrics={
            "rows": 12,
            "auc_ovr_macro": None,
            "accuracy": 0.75,
            "f1_macro": 0.7333,
            "log_loss": 0.8,
            "confusion_matrix": [[4, 0, 0], [1, 3, 0], [0, 2, 2]],
            "per_class": [],
        },
        quality_gate={
            "passed": False,
            "checks": [
                {"metric": "f1_macro", "minimum": 0.7, "value": 0.7333, "passed": True},
                {"metric": "log_loss", "maximum": 0.5, "value": 0.8, "passed": False},
            ],
        },
        predictions=[
            {"row": 1, "label": 2, "class": 1, "probabilities": [0.1, 0.6, 0.3]},
            {"row": 2, "label": 0, "class": 0, "probabilities": [0.9, 0.1, 0.0]},
        ],
    )
    shown = " ".join(spine("run").stdout.split())
    for words in (
        "undefined", "0.7333 ≥ 0.7", "0.8000 ≤ 0.5", "as Barolo", "Nero", "0.6000",
        "log_loss 0.8000 is above 0.5",
    ):  # fmt: skip
        assert words in shown, shown


def test_the_results_of_a_number_are_shown(ready: fakes.Cloud, spine: Spine) -> None:
    """Errors in the label's unit, no matrix, and predictions beside what they should be."""
    ready.states.result = fakes.output(
        data={**fakes.output()["data"], "classes": {}},
        metrics={"rows": 44, "r2": 0.1994, "rmse": 62349.5, "mae": 49.106, "label": {}},
        quality_gate={
            "passed": True,
            "checks": [{"metric": "rmse", "maximum": 80000, "value": 62349.5, "passed": True}],
        },
        predictions=[{"row": 1, "label": 230.0, "prediction": 253.787}],
    )
    shown = spine("run").stdout
    for words in ("R²", "0.1994", "62,350", "≤ 80000", "49.106", "230", "253.787"):
        assert words in shown, shown
    assert "Confusion" not in shown
