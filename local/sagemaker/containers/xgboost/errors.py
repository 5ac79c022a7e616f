"""Failures of the container."""


class UserError(Exception):
    """A failure that the person can avoid: data, channel or hyperparameter."""


class AlgorithmError(Exception):
    """A failure inside the algorithm."""
