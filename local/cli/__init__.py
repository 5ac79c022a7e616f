"""The command line `spine`: the local cloud, and runs of the pipeline on it."""


def main() -> None:
    """Run the command line; the entry point of the `spine` script."""
    from local.cli.app import app

    app()
