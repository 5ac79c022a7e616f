"""MiniStack as the local cloud needs it: what it leaves out, or does unlike AWS, is hooked here.

`functions` (how functions fail and start) with `execution_environments` and `forking` (the
processes they run in), `cloudformation` (what stacks leave out), `keys` (access keys that nobody
can guess), `iam` (policies that decide). The hooks work as `localcloud.hooks` says. State machines
have a room of their own, `localcloud.stepfunctions`.
"""
