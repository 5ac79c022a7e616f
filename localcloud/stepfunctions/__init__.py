"""Step Functions on the local cloud: moto's interpreter in place of MiniStack's.

`executions` runs them, `requests` and `redrive` answer the API, `templates` CloudFormation;
`integrations`, `sagemaker` and `clients` are what tasks call; `errors`, `jsonata`, `interruption`
and `progress` make the interpreter behave as AWS's; `logs` and `status_events` tell of it,
`validation` looks at definitions. Importing `engine` registers all of their hooks.

Where this differs from AWS:

* Of a redriven Pass state the guide says that it "is exited and isn't executed"; here it is
  executed, as it has no result otherwise. A redriven Distributed Map runs its unfinished items, and
  has no `MapRunRedriven` event.
* Express machines run as standard ones (`StartSyncExecution` answers at their end).
* The role of a state machine gives its account only; its policies are not enforced.
* Of SageMaker's integration, `createLabelingJob` is missing, and jobs are not given the tag
  `MANAGED_BY_AWS=STARTED_BY_STEP_FUNCTIONS`. A `.sync` job is asked for its state instead of
  awaited through EventBridge, so no rule `StepFunctionsGetEventsFor...` is needed or made.
* A `.sync` job is stopped when its task times out, not only when the task is aborted.
* Distributed Map runs in memory, without its own executions' quotas; an item that fails gives null
  whatever failures are tolerated, and a literal `ToleratedFailurePercentage` of 0 is refused by
  the parser.
* HTTP tasks, activities and the integrations moto lists as unsupported (EMR, EKS, ...) do not run.
* An `aws-sdk` parameter that does not exist fails when the task runs (SageMaker) or is left out;
  AWS refuses some of them when the machine is created.
* A task without heartbeat fails with `States.Timeout` where AWS says `States.HeartbeatTimeout`.
* `States.TaskFailed` does not match `States.Runtime` and `States.DataLimitExceeded`, as
  AWS documents for `States.ALL`; AWS says nothing about the former.
* The execution history has no limit of 25,000 events, and an execution none of a year.
"""

# Before anything here imports moto.
from localcloud.stepfunctions import light_import  # noqa: F401 (for its effect)
