"""MiniStack as the local cloud needs it: what it leaves out, or does unlike AWS, is hooked here.

`functions` (how functions fail and start) with `execution_environments` and `forking` (the
processes they run in), `cloudformation` (what stacks leave out), `keys` (access keys that nobody
can guess), `iam` (policies that decide), `s3_events`, `deliveries` and `asynchronous` (what S3
tells, how EventBridge hands it on, what becomes of a function that fails for it). The hooks work
as `localcloud.hooks` says. State machines have a room of their own, `localcloud.stepfunctions`.
"""

# The modules whose hooks every gateway installs; `iam` comes where permissions are enforced.
ALWAYS_HOOKED = (
    "asynchronous",
    "cloudformation",
    "deliveries",
    "execution_environments",
    "functions",
    "keys",
    "s3_events",
)
