"""Fleets: all servers of a configuration serve, or none is left."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.sagemaker import fleets
from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.fleets import Fleet, Plan
from tests.localcloud.sagemaker.cloud import variant


class Server:
    """A model server that says what is done with it, and may not come to serve."""

    said: list[str]
    broken = ""

    def __init__(
        self, platform: Any, container: Any, folder: Path, role: str, *, group: tuple[str, str]
    ) -> None:
        assert (folder / "model").is_dir()
        assert (folder / "output").is_dir()
        self.name = group[1]
        self.group = group
        self.role = role

    def launch(self, environment: dict[str, str]) -> None:
        """Begin."""
        self.said.append(f"{self.name} launched")

    def wait_until_ready(self, *, subject: str, timeout: float) -> None:
        """Serve, or fail."""
        if self.name == self.broken:
            raise JobError(f"{subject} did not pass the ping health check.")
        self.said.append(f"{self.name} ready within {timeout:g}")

    def stop(self) -> None:
        """End."""
        self.said.append(f"{self.name} stopped")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done with the servers, in its order."""
    found: list[str] = []
    monkeypatch.setattr(Server, "said", found, raising=False)
    monkeypatch.setattr(fleets, "ModelServer", Server)
    return found


def platform(*, closing: bool = False) -> Any:
    """A platform that has a slot, unless it is closing; its S3 is the name of the role."""

    @contextmanager
    def slot(cancelled: Any) -> Iterator[bool]:
        yield not cancelled()

    return SimpleNamespace(
        starting=SimpleNamespace(slot=slot),
        closing=SimpleNamespace(is_set=lambda: closing),
        storage_of=lambda role: role,
    )


def plan(*variants: dict[str, Any], capture: dict[str, Any] | None = None) -> Plan:
    """A plan whose models are named as their variants."""
    models = {
        each["VariantName"]: {
            "PrimaryContainer": {"Image": f"image-of-{each['VariantName']}"},
            "ExecutionRoleArn": f"role-of-{each['VariantName']}",
        }
        for each in variants
    }
    return Plan(config="config", variants=list(variants), models=models, capture=capture)


def test_servers_start_beside_each_other_and_are_waited_for(
    tmp_path: Path, said: list[str]
) -> None:
    """Each for as long as its variant says, which is five minutes by default."""
    patient = variant("b", "m", ContainerStartupHealthCheckTimeoutInSeconds=60)
    fleet = fleets.start(platform(), "mine", plan(variant("a", "m"), patient), tmp_path)
    assert said == ["a launched", "b launched", "a ready within 300", "b ready within 60"]
    assert fleet.servers.keys() == {"a", "b"}
    servers: Any = fleet.servers
    assert servers["b"].group == ("/aws/sagemaker/Endpoints/mine", "b")
    assert servers["b"].role == "role-of-b"
    assert fleet.capture is None


def test_where_one_server_does_not_serve_none_is_left(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason names the variant."""
    monkeypatch.setattr(Server, "broken", "b")
    with pytest.raises(JobError, match="container for production variant b did not pass"):
        fleets.start(platform(), "mine", plan(variant("a", "m"), variant("b", "m")), tmp_path)
    assert said[-2:] == ["a stopped", "b stopped"]


def test_no_fleet_starts_once_the_process_is_closing(tmp_path: Path, said: list[str]) -> None:
    """A server that is started then would outlive the process."""
    with pytest.raises(JobError, match="shutting down"):
        fleets.start(platform(closing=True), "mine", plan(variant("a", "m")), tmp_path)
    assert said == []


@pytest.mark.parametrize("enabled", [True, False])
def test_captures_are_written_as_the_first_variants_role(
    tmp_path: Path, said: list[str], *, enabled: bool
) -> None:
    """If the configuration has capture switched on."""
    capture = {"EnableCapture": enabled, "CaptureOptions": [{"CaptureMode": "Input"}]}
    fleet = fleets.start(
        platform(), "mine", plan(variant("a", "m"), variant("b", "m"), capture=capture), tmp_path
    )
    assert (fleet.capture is not None) is enabled
    if fleet.capture is not None:
        storage: Any = fleet.capture._storage
        assert storage == "role-of-a"


def test_a_fleet_that_stops_uploads_what_was_captured_last(said: list[str]) -> None:
    """After its servers have stopped: what they answer until then is captured, too."""
    capture: Any = SimpleNamespace(flush=lambda: said.append("captures uploaded"))
    server: Any = SimpleNamespace(stop=lambda: said.append("a stopped"))
    Fleet({"a": server}, capture).stop()
    assert said == ["a stopped", "captures uploaded"]


def test_a_description_shows_image_weight_and_count() -> None:
    """A new fleet has what its configuration asks for."""
    asked = variant("a", "m", InitialInstanceCount=2, InitialVariantWeight=0.5)
    (summary,) = plan(asked).summaries()
    (image,) = summary.pop("DeployedImages")
    assert image["SpecifiedImage"] == image["ResolvedImage"] == "image-of-a"
    assert summary == {
        "VariantName": "a",
        "CurrentWeight": 0.5,
        "DesiredWeight": 0.5,
        "CurrentInstanceCount": 2,
        "DesiredInstanceCount": 2,
    }
