"""What is checked before anything ships, beside the tests: rules over what `app.py` synthesizes."""
