"""`spine status`: the cloud, the stacks, the latest runs, and what is left serving."""

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from spine import inventory, session
from spine.errors import SageMakerEndedError
from spine.inventory import Endpoint, Execution
from spine.places import home, shown
from spine.session import Stack
from spine.view import ago, duration, moment, titled_table

_COLOURS = {
    "RUNNING": "cyan",
    "SUCCEEDED": "green",
    "FAILED": "red",
    "TIMED_OUT": "red",
    "ABORTED": "yellow",
    "InService": "green",
    "Creating": "cyan",
    "Failed": "red",
}


def collect(*, limit: int) -> dict[str, Any]:
    """Everything that `show` shows, as JSON-able data; times are ISO 8601 in UTC.

    Args:
        limit: How many executions.
    """
    cloud = session.find_cloud()
    if cloud is None:
        return {"cloud": None, "stacks": [], "executions": [], "endpoints": []}
    stacks = session.stacks(cloud)
    app = session.deployment(stacks)
    now = datetime.now(UTC)
    runs = inventory.executions(cloud, app, limit=limit) if app else []
    return {
        "cloud": {
            "endpoint_url": cloud.endpoint_url,
            "pid": cloud.pid,
            "home": str(home()),
            "conditions": list(cloud.conditions),
            "sagemaker_runs": cloud.sagemaker_runs,
        },
        "stacks": [_stack(stack) for stack in stacks],
        "executions": [
            _execution(run, now)
            # Where there is one pipeline only, there is nothing to tell apart.
            | ({"pipeline": run.pipeline} if app and len(app.machines) > 1 else {})
            for run in runs
        ],
        "endpoints": [
            _endpoint(endpoint)
            for endpoint in (inventory.endpoints(cloud) if cloud.sagemaker_runs else ())
        ],
    }


def show(target: Console, found: dict[str, Any]) -> None:
    """Print it for a person."""
    now = datetime.now(UTC)
    cloud = found["cloud"]
    if cloud is None:
        target.print(
            Text.assemble("Cloud      ", ("not running", "yellow"), "   start it: spine up")
        )
        return
    target.print(
        Text.assemble(
            "Cloud      ",
            ("running", "green"),
            f"  {cloud['endpoint_url']}  pid {cloud['pid']}  ",
            (shown(home()), "dim"),
        ),
        soft_wrap=True,
    )
    if not cloud["sagemaker_runs"]:
        ended = SageMakerEndedError()
        target.print(Text.assemble("SageMaker  ", ("ended", "red"), f"  {ended.remedy}"))
    if cloud["conditions"]:
        target.print(
            Text.assemble("Started    ", ("with " + " ".join(cloud["conditions"]), "yellow")),
            soft_wrap=True,
        )
    if not found["stacks"]:
        target.print("Stacks     none   deploy the app: spine deploy, or spine run")
    for position, stack in enumerate(found["stacks"]):
        style = "green" if stack["ready"] else "red"
        label = "Stacks     " if position == 0 else "           "
        target.print(Text.assemble(label, f"{stack['name']:<22} ", (stack["status"], style)))
    target.print()
    _show_runs(target, found["executions"])
    if cloud["sagemaker_runs"]:
        _show_endpoints(target, found["endpoints"], now)


def _show_runs(target: Console, runs: list[dict[str, Any]]) -> None:
    if not runs:
        target.print("No runs yet. Start one: spine run")
        return
    table = titled_table("Latest runs")
    several = "pipeline" in runs[0]
    table.add_column("name", no_wrap=True, overflow="ellipsis")
    if several:
        table.add_column("pipeline", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("started", no_wrap=True)
    table.add_column("took", justify="right", no_wrap=True)
    for run in runs:
        table.add_row(
            run["name"],
            *([run["pipeline"]] if several else []),
            Text(run["status"], style=_COLOURS.get(run["status"], "")),
            moment(datetime.fromisoformat(run["started"])),
            duration(run["seconds"]),
        )
    target.print(table)
    failed = next((run["name"] for run in runs if run["status"] in {"FAILED", "TIMED_OUT"}), None)
    if failed:
        target.print(Text(f"Why it failed: spine logs {failed}", style="dim"), soft_wrap=True)


def _show_endpoints(target: Console, endpoints: list[dict[str, Any]], now: datetime) -> None:
    target.print()
    if not endpoints:
        target.print("No endpoint is left: nothing goes on costing money.")
        return
    table = titled_table("Endpoints")
    table.add_column("name", overflow="fold")
    table.add_column("status", no_wrap=True)
    table.add_column("until", no_wrap=True)
    for endpoint in endpoints:
        table.add_row(
            endpoint["name"],
            Text(endpoint["status"], style=_COLOURS.get(endpoint["status"], "")),
            _until(endpoint["until"], now),
        )
    target.print(table)
    target.print(Text('Call it: spine predict --row "VALUE,VALUE,..."', style="dim"))


def _until(until: str | None, now: datetime) -> Text:
    if until is None:
        return Text("its run ends")
    when = datetime.fromisoformat(until)
    if when < now:
        return Text(f"{moment(when)}, {ago(when, now)} ago: about to be deleted", style="yellow")
    return Text(f"{moment(when)}, for {ago(when, now)}")


def _stack(stack: Stack) -> dict[str, Any]:
    return {
        "name": stack.name,
        "status": stack.status,
        "ready": stack.ready,
        "outputs": stack.outputs,
    }


def _execution(run: Execution, now: datetime) -> dict[str, Any]:
    return {
        "name": run.name,
        "arn": run.arn,
        "status": run.status,
        "started": run.started.isoformat(),
        "seconds": round(run.seconds(now), 3),
    }


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "name": endpoint.name,
        "status": endpoint.status,
        "until": endpoint.until.isoformat() if endpoint.until else None,
        "execution": endpoint.execution,
    }
