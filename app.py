"""The CDK app: settings, stacks, checks, synthesis. Only this file reads context."""

import sys

from aws_cdk import App

from stacks.checks import add_checks
from stacks.monitoring import Monitoring
from stacks.pipeline import PipelineStack
from stacks.settings import Settings, SettingsError
from stacks.storage import Storage
from stacks.triggers import Triggers


def build(app: App) -> None:
    """Put the stacks into an app, by the settings in its context."""
    try:
        settings = Settings.from_context(app.node.try_get_context)
    except SettingsError as error:
        sys.exit(
            f"Cannot deploy with these settings (cdk.json, or -c on the command line):\n{error}"
        )
    storage = Storage(app, settings=settings)
    pipeline = PipelineStack(app, settings=settings, storage=storage)
    triggers = Triggers(app, settings=settings, storage=storage, machines=pipeline.machines)
    Monitoring(app, settings=settings, pipeline=pipeline, triggers=triggers)


if __name__ == "__main__":
    app = App()
    build(app)
    add_checks(app, pack=app.node.try_get_context("checks"))
    app.synth()
