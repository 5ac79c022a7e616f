"""What runs inside a job's own process. Nothing here imports the service's side."""
