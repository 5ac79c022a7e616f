"""`python -m spine`, where the `spine` script is not installed."""

from spine import main

main()
