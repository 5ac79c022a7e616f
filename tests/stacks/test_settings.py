"""The settings refuse what cannot be deployed, in a sentence."""

import json
from typing import Any

import pytest

from spine.shipped import load
from stacks.settings import Settings, SettingsError
from tests.support import ROOT

GROUP = "sg-0123456789abcdef0"
STAGES = json.loads((ROOT / "cdk.json").read_text())["context"]["stages"]


def read(stages: object = STAGES, **context: Any) -> Settings:
    """Read the settings from a context."""
    return Settings.from_context({"stages": stages, **context}.get)


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_of_cdk_json_is_valid(stage: str) -> None:
    """The checked-in defaults of every stage can be deployed as they are."""
    assert read(stage=stage).prefix == f"spine-{stage}"


@pytest.mark.parametrize(
    ("context", "names"),
    [
        ({"stage": "qa"}, ["stage", "'qa'", "dev, prod"]),
        ({"stages": {"Dev!": {}}, "stage": "Dev!"}, ["stage", "'Dev!'", "lower-case"]),
        ({"stages": {"verylongname": {}}, "stage": "verylongname"}, ["stage", "2 to 8"]),
        ({"region": "mars-1", "account": "1" * 12}, ["region", "'mars-1'", "eu-west-1"]),
        ({"account": "12", "region": "eu-west-1"}, ["account", "'12'"]),
        ({"region": "eu-west-1"}, ["account and region go together"]),
        ({"xgboost_version": "9.9-9"}, ["xgboost_version", "'9.9-9'", "3.2-0"]),
        ({"architecture": "vax"}, ["architecture", "'vax'", "arm64"]),
        ({"removal": "shred"}, ["removal", "'shred'", "retain"]),
        ({"run_retention_days": "0"}, ["run_retention_days", "'0'"]),
        ({"log_retention_days": 13}, ["log_retention_days", "13", "14"]),
        ({"stages": {"dev": {"instance_types": ["ml.huge"]}}}, ["instance_types.0", "'ml.huge'"]),
        ({"stages": {"dev": {"instance_types": []}}}, ["instance_types"]),
        ({"stages": {"dev": {"source_hosts": ["https://x"]}}}, ["source_hosts.0", "host name"]),
        ({"stages": {"dev": {"source_buckets": ["s3://x/"]}}}, ["source_buckets.0", "S3 bucket"]),
        ({"stages": {"dev": {"schedule": {"expression": "often"}}}}, ["schedule.expression"]),
        ({"stages": {"dev": {"retention": 3}}}, ["retention", "is not a setting", "removal"]),
        ({"permissions_boundary": "boundary"}, ["permissions_boundary", "'boundary'"]),
        ({"encryption_key": "alias/spine"}, ["encryption_key", "'alias/spine'"]),
        ({"network": {"subnets": [], "security_groups": [GROUP]}}, ["network.subnets"]),
        ({"network": {"subnets": ["0123"], "security_groups": [GROUP]}}, ["network.subnets.0"]),
    ],
    ids=lambda value: "" if isinstance(value, list) else json.dumps(value),
)
def test_a_bad_setting_is_refused_by_name(context: dict[str, Any], names: list[str]) -> None:
    """The message names the setting, shows its value and says what it may be."""
    with pytest.raises(SettingsError) as refusal:
        read(**context)
    for name in names:
        assert name in str(refusal.value)


def test_all_problems_are_told_at_once() -> None:
    """Nobody has to repair settings one synthesis at a time."""
    with pytest.raises(SettingsError) as refusal:
        read(xgboost_version="9", removal="shred")
    assert len(str(refusal.value).splitlines()) == 2


def test_the_command_line_overrides_the_stage() -> None:
    """`-c name=value` wins over cdk.json, and text becomes the setting's own type."""
    settings = read(run_retention_days="7", xgboost_version="1.7-1")
    version = settings.version(load("algorithms").DEFAULT)
    assert (settings.run_retention_days, version) == (7, "1.7-1")


@pytest.mark.parametrize("name", ["incoming", "schedule"])
def test_an_input_that_plan_would_refuse_is_refused_at_synth(name: str) -> None:
    """A trigger whose every run would fail in its first state is not deployed."""
    stage = {name: {"input": {"evaluation": {"threshold": 2}}}}
    with pytest.raises(SettingsError, match=rf"{name}\.input: .*\n?.*evaluation\.threshold: 2"):
        read(stages={"dev": stage})
