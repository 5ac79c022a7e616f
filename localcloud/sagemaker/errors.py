"""The errors a client receives, as the service words and codes them."""


class ApiError(Exception):
    """An error answer.

    Attributes:
        code: What botocore shows as the error code, `ValidationException` for instance.
        message: The sentence for the person.
        status: HTTP status.
        members: Further members of the error's body (`ModelError` has some).
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        members: dict[str, object] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members or {}


def invalid(message: str) -> ApiError:
    """The service's usual refusal of a request."""
    return ApiError("ValidationException", message)


def not_available(what: str, remedy: str = "") -> ApiError:
    """A refusal of what AWS offers and this process does not: never a wrong success."""
    return invalid(f"{what} is not available locally.{' ' + remedy if remedy else ''}")


class JobError(Exception):
    """A job, or the start of a model server, has failed; the text becomes its `FailureReason`."""
