"""The CDK app: settings, stacks, checks, synthesis. Only this file reads context."""

from aws_cdk import App

from stacks.checks import add_checks
from stacks.pipeline import Pipeline
from stacks.settings import Settings
from stacks.storage import Storage
from stacks.triggers import Triggers

app = App()
settings = Settings.from_context(app.node.try_get_context)
storage = Storage(app, settings=settings)
pipeline = Pipeline(app, settings=settings, storage=storage)
Triggers(app, settings=settings, storage=storage, pipeline=pipeline)
add_checks(app)
app.synth()
