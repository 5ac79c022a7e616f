"""Error names as Step Functions matches, repeats and reports them.

Rules: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name import error_name
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment

from localcloud import hooks

_NAMES = "moto.stepfunctions.parser.asl.component.common.error_name"

_NO_CHOICE = "No branching option reached"


@hooks.replaces(
    f"{_NAMES}.custom_error_name:CustomErrorName.__init__",
    reason="a Fail state or a Parallel cannot repeat an error named States.*",
)
def _any_name(self: Any, error_name: str | None) -> None:
    """Allow `States.*`: a Fail state may repeat the error it was given (moto refuses it)."""
    self.error_name = error_name


@hooks.replaces(
    f"{_NAMES}.error_equals_decl:ErrorEqualsDecl._eval_body",
    reason="States.ALL catches the terminal errors, States.TaskFailed repeated timeouts",
)
def _matches(self: Any, env: Environment) -> None:
    """Decide whether a Retrier or Catcher is for the error on the stack.

    `States.ALL` leaves out `States.DataLimitExceeded` and `States.Runtime`, which cannot be
    caught by it; `States.TaskFailed` matches every error but `States.Timeout` and those two.
    """
    found: error_name.ErrorName | None = env.stack.pop()
    name = found.error_name if found else None
    listed = {each.error_name for each in self.error_names}
    terminal = {
        StatesErrorNameType.StatesStatesDataLimitExceeded.to_name(),
        StatesErrorNameType.StatesRuntime.to_name(),
    }
    wildcard = ("States.ALL" in listed and name not in terminal) or (
        "States.TaskFailed" in listed and name not in {*terminal, "States.Timeout"}
    )
    env.stack.append(wildcard or name in listed)


@hooks.around(
    "moto.stepfunctions.parser.asl.component.state.choice.state_choice:StateChoice._eval_state",
    reason="no matching choice is reported as States.Runtime",
)
def _with_no_choice_matched(evaluate: Any, self: Any, env: Environment) -> None:
    """Name the error of a Choice without a match and without a Default."""
    try:
        evaluate(self, env)
    except RuntimeError as error:
        if _NO_CHOICE not in str(error):
            raise
        name = StatesErrorName(typ=StatesErrorNameType.StatesNoChoiceMatched)
        details: Any = {
            "executionFailedEventDetails": {
                "error": name.error_name,
                "cause": f"Failed to transition out of the state '{self.name}'. The state has "
                "no Default and none of its Choices matched.",
            }
        }
        failure = FailureEvent(
            env=env,
            error_name=name,
            event_type=HistoryEventType.ExecutionFailed,
            event_details=details,
        )
        raise FailureEventException(failure_event=failure) from error
