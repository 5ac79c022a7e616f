"""The folders below `runs/<run id>/`, and that of the code of jobs. Pure.

Each of a run is written by one step and read by those after it. Permissions are by folder, so a
role must know of all of them: a pattern such as `runs/*/train/*` also matches
`runs/<run>/model/train/x`.
"""

FOLDERS = (
    "train",
    "test",
    "validate",
    "batch-in",
    "checkpoints",
    "model",
    "batch-out",
    "evaluation",
    "preparation",
)

CODE = "code/"
