"""Failures of the container."""


class UserError(Exception):
    """A failure that the person can avoid: data, channel or hyperparameter."""


class AlgorithmError(Exception):
    """A failure inside the algorithm."""


def brief(error: Exception) -> str:
    """An error's message without the addresses of XGBoost's C++ stack."""
    return str(error).partition("\nStack trace:")[0].strip()
