"""Answers of the Step Functions API."""

from typing import Any

from ministack.services import stepfunctions


def error(name: str, message: str) -> Any:
    """The answer that refuses a request, with the name of the service's exception."""
    return stepfunctions.error_response_json(name, message, 400)
