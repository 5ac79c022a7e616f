"""The root of every exception a function raises on purpose."""


class SpineError(Exception):
    """A failure Spine understands; its message says what to change.

    Step Functions matches Retry and Catch on the class name, so each kind of failure that the state
    machine treats differently is a subclass with a name of its own, ending in `Error`.
    """
