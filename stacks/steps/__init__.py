"""The steps of pipelines, one file each: its function or SageMaker call, permissions and states."""
