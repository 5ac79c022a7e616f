"""A SageMaker that runs on this machine: the service's wire protocol, and its jobs as processes.

Start it with `python -m localcloud.sagemaker`. It stands in for the service while developing and
testing: requests are validated against botocore's own service model, names, states and order are
refused as AWS refuses them, and every job runs the container contract (`/opt/ml`) in a folder and
a process of its own. It imports nothing from the rest of the project.

Rooms: `wire` and `validation` (the protocol), `records` (what exists), `child_processes` and
`jobs` (what runs), `concurrency` (how much of it at once), `serving` and `fleets` (model servers),
`storage` (S3), `resources` (one file a kind of resource), `algorithms` (one file an image
repository), `containers` (what runs inside a job's process).
"""
