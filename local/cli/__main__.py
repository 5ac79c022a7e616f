"""`python -m local.cli`, where the `spine` script is not installed."""

from local.cli import main

main()
