"""Step Functions on the local cloud: moto's interpreter in place of MiniStack's.

`executions` runs them, `map_runs` a Distributed Map's children (`map_items` and `map_results` are
what goes in and comes out), `express` express workflows; `requests` and `redrive` answer the API,
held to the service's model by `constraints` and worded by `wording`, `templates` CloudFormation;
`integrations`, `sagemaker` and `clients` are what tasks call; `errors`, `jsonata`, `interruption`
and `progress` make the interpreter behave as AWS's, `definitions` its parser; `logs` and
`status_events` tell of it, `validation` looks at definitions. Importing `engine` registers all of
their hooks.

What differs from AWS is in docs/stepfunctions-fidelity.md, and:

* Of a redriven Pass state the guide says that it "is exited and isn't executed"; here it is
  executed, as it has no result otherwise.
* The role of a state machine gives its account only; its policies are not enforced.
* Of SageMaker's integration, `createLabelingJob` is missing, and jobs are not given the tag
  `MANAGED_BY_AWS=STARTED_BY_STEP_FUNCTIONS`. A `.sync` job is asked for its state instead of
  awaited through EventBridge, so no rule `StepFunctionsGetEventsFor...` is needed or made.
* A `.sync` job is stopped when its task times out, not only when the task is aborted.
* The integrations moto lists as unsupported (EMR, EKS, ...) do not run.
* An `aws-sdk` parameter that does not exist fails when the task runs (SageMaker) or is left out;
  AWS refuses some of them when the machine is created.
* A task without heartbeat fails with `States.Timeout` where AWS says `States.HeartbeatTimeout`.
* `States.TaskFailed` does not match `States.Runtime` and `States.DataLimitExceeded`, as
  AWS documents for `States.ALL`; AWS says nothing about the former.
* The execution history has no limit of 25,000 events, and an execution none of a year.
"""

# Before anything here imports moto.
from localcloud.stepfunctions import light_import  # noqa: F401 (for its effect)
