"""The one place where what can go wrong becomes a short message and what to do about it."""


class CommandError(Exception):
    """A command cannot go on; said in words, without a traceback.

    Attributes:
        message: What is wrong, naming the thing and its value.
        remedy: What to do about it.
        details: Further lines worth seeing, such as the end of a tool's own output.
        exit_code: 2 for a mistake in what was typed, 1 for everything else.
    """

    def __init__(
        self, message: str, *, remedy: str = "", details: str = "", exit_code: int = 1
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.details = details
        self.exit_code = exit_code


class UsageError(CommandError):
    """What was typed cannot be understood or used."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy, exit_code=2)


class CloudNotRunningError(CommandError):
    """The command needs the local cloud and it is not up."""

    def __init__(self) -> None:
        super().__init__("The local cloud is not running.", remedy="Start it: spine up")


class SageMakerEndedError(CommandError):
    """The local cloud runs without its SageMaker process, which holds all that SageMaker knew."""

    def __init__(self) -> None:
        super().__init__(
            "The local cloud's SageMaker process has ended, and its models, jobs and endpoints "
            "with it.",
            remedy="See why: spine logs sagemaker. Start afresh: spine down && spine up",
        )


class NotDeployedError(CommandError):
    """The local cloud runs but the app is not in it."""

    def __init__(self) -> None:
        super().__init__(
            "Spine is not deployed to the local cloud.", remedy="Deploy it: spine deploy"
        )


def describe(error: Exception) -> CommandError | None:
    """Say a known error in words; None when it is not one that a person can do something about."""
    if isinstance(error, CommandError):
        return error
    name = type(error).__name__
    if name in {
        "EndpointConnectionError",
        "ConnectionClosedError",
        "ReadTimeoutError",
        "ConnectTimeoutError",
    }:
        # By name: importing botocore to compare classes costs a tenth of a second.
        return CommandError(
            f"The local cloud stopped answering. {error}",
            remedy="See why: spine logs gateway. Then start it afresh: spine down && spine up",
        )
    if name in {"CloudError", "DeployError"}:
        message, _, details = str(error).partition("\n")
        if "Address already in use" in details:
            return CommandError(
                details.splitlines()[-1].partition(". ")[0] + ".",
                remedy="Leave --port out to take a free one: spine up",
            )
        log = "deploy" if name == "DeployError" else "gateway"
        return CommandError(message, details=details, remedy=f"All of it: spine logs {log}")
    if name == "ClientError":
        return _refused(error)
    if isinstance(error, PermissionError | FileNotFoundError | IsADirectoryError):
        return CommandError(f"{error.strerror}: {error.filename}")
    return None


def _refused(error: Exception) -> CommandError:
    answer = getattr(error, "response", {}).get("Error", {})
    operation = getattr(error, "operation_name", "the request")
    return CommandError(
        f"The local cloud refused {operation}: {answer.get('Message') or error}"
        f" ({answer.get('Code', 'no code')}).",
        remedy="See more: spine logs gateway",
    )
