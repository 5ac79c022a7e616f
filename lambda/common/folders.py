"""The folders below `runs/<run id>/`. Pure.

Each is written by one step and read by those after it. Permissions are by folder, so a role must
know of all of them: a pattern such as `runs/*/train/*` also matches `runs/<run>/model/train/x`.
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
