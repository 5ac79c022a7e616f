"""Functions on the local cloud fail, time out and start as on AWS.

MiniStack runs each function in a worker process of the host's own Python. This module edits that
worker's script and interprets what it answers:

* an exception's class name and stack reach the caller (Step Functions' Retry and Catch match it),
* a function that raised keeps its process, as on AWS; one that exited or timed out loses it,
* a module that does not import is `Runtime.ImportModuleError`, a missing handler
  `Runtime.HandlerNotFound`, a result that is no JSON `Runtime.MarshalError`, a process that
  exits `Runtime.ExitError`, a function over its timeout `Sandbox.Timedout`,
* the project's own editable install is not importable: a function finds only its own bundle and
  third-party packages,
* a custom resource whose function fails without answering fails at once, not after an hour.
"""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services.cloudformation import custom_resource

from localcloud import hooks
from localcloud.emulator import execution_environments

_READY = """\
        _real_stdout.write(json.dumps({"status": "ready", "cold": True}) + "\\n")
"""
_INIT = """\
    except Exception as e:
        _real_stdout.write(json.dumps({"status": "error", "error": str(e)}) + "\\n")
        _real_stdout.flush()
        return
"""
_CALL = """\
            result = handler_fn(event, context)
            _real_stdout.write(json.dumps({"status": "ok", "result": result}) + "\\n")
        except Exception as e:
            _real_stdout.write(json.dumps({"status": "error", "error": str(e), "trace": \
traceback.format_exc()}) + "\\n")
"""
_PATH = """\
    sys.path.insert(0, code_dir)
"""

# Marks an answer as a failure. Random, so that no function's own result can look like one.
_MARK = f"spine-failure-{secrets.token_hex(16)}"

# Goes in front of the worker's script; runs inside the function's process.
_REPORTING = f"""
def _spine_failure(error, error_type=None, message=None):
    import sys, traceback
    frames = traceback.extract_tb(error.__traceback__)[1:]
    payload = {{
        "errorMessage": str(error) if message is None else message,
        "errorType": error_type or type(error).__name__,
        "stackTrace": [line for line in traceback.format_list(frames)],
    }}
    print("[ERROR] " + payload["errorType"] + ": " + payload["errorMessage"], file=sys.stderr)
    traceback.print_tb(error.__traceback__, file=sys.stderr)
    return {{"{_MARK}": payload}}


def _spine_init_failure(error, module_name, handler_name):
    if isinstance(error, ImportError):
        return _spine_failure(
            error,
            "Runtime.ImportModuleError",
            "Unable to import module '%s': %s" % (module_name, error),
        )
    if isinstance(error, SyntaxError):
        return _spine_failure(
            error,
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module '%s': %s" % (module_name, error),
        )
    if isinstance(error, AttributeError) and ("'%s'" % handler_name) in str(error):
        return _spine_failure(
            error,
            "Runtime.HandlerNotFound",
            "Handler '%s' missing on module '%s'" % (handler_name, module_name),
        )
    return _spine_failure(error)


def _spine_call(handler_fn, event, context):
    import json
    try:
        result = handler_fn(event, context)
    except Exception as error:
        return json.dumps(_spine_failure(error))
    try:
        return json.dumps(result)
    except (TypeError, ValueError) as error:
        return json.dumps(
            _spine_failure(error, "Runtime.MarshalError", "Unable to marshal response: %s" % error)
        )


def _spine_own_code_only():
    import sys
    sys.meta_path[:] = [
        finder
        for finder in sys.meta_path
        if not getattr(finder, "__module__", "").startswith("__editable__")
    ]
    sys.path[:] = [entry for entry in sys.path if "__editable__" not in entry]
"""

_READY_REPLACED = "        _spine_ready(_real_stdout)\n" + _READY
_INIT_REPLACED = """\
    except Exception as e:
        failure = _spine_init_failure(e, module_name, handler_name)
        _spine_ready(_real_stdout, failed=True)
        _real_stdout.write(json.dumps({"status": "ready", "cold": True}) + "\\n")
        _real_stdout.flush()
        sys.stdin.readline()
        # As on AWS the next invocation tries again in a new process: an "error" ends this one.
        _real_stdout.write(json.dumps({"status": "error", "error": json.dumps(failure)}) + "\\n")
        _real_stdout.flush()
        return
"""
_CALL_REPLACED = """\
            answer = _spine_call(handler_fn, event, context)
            _real_stdout.write('{"status": "ok", "result": ' + answer + "}\\n")
        except Exception as e:
            _real_stdout.write(json.dumps({"status": "error", "error": str(e)}) + "\\n")
"""
_PATH_REPLACED = "    _spine_own_code_only()\n" + _PATH


@hooks.uses(
    "ministack.core.lambda_runtime:reset", reason="ends every function's process", parameters=()
)
def stop_workers() -> None:
    """End every function's process."""
    lambda_runtime.reset()
    execution_environments.stop_templates()


@hooks.edits(
    "ministack.core.lambda_runtime:_PYTHON_WORKER_SCRIPT",
    reason="every exception of a function is reported as Runtime.HandlerError",
    contains=(_READY, _INIT, _CALL, _PATH),
)
def _report_exceptions(script: str) -> str:
    """Have the worker script report an exception as Lambda's runtime does."""
    for old, new in (
        (_READY, _READY_REPLACED),
        (_INIT, _INIT_REPLACED),
        (_CALL, _CALL_REPLACED),
        (_PATH, _PATH_REPLACED),
    ):
        script = script.replace(old, new)
    forking = Path(__file__).with_name("forking.py").read_text()
    return forking + _REPORTING + script


Answer = dict[str, Any]


@hooks.around(
    "ministack.services.lambda_svc:_execute_function_warm",
    reason="a worker's answer becomes the invocation's answer without AWS's error types",
)
def _with_aws_errors(
    execute: Callable[..., Answer], func: dict[str, Any], event: Any, request_id: str
) -> Answer:
    """Turn the worker's answer into Lambda's error payload and error type."""
    config = func.get("config") or func
    if not func.get("code_zip"):
        # MiniStack answers 200 "Mock response - no code deployed".
        return _failed(
            {
                "errorType": "Runtime.ImportModuleError",
                "errorMessage": f"Function {config.get('FunctionName')} has no code deployed",
            },
            request_id,
        )
    with execution_environments.slot():
        answer = execute(func, event, request_id)
    body = answer.get("body")
    if isinstance(body, dict) and _MARK in body:
        return _failed(body[_MARK], request_id, answer.get("log", ""))
    if not answer.get("error") or not isinstance(body, dict):
        return answer
    return _failed(_process_failure(body, request_id), request_id, answer.get("log", ""))


def _failed(payload: dict[str, Any], request_id: str, log: str = "") -> dict[str, Any]:
    return {"body": payload | {"requestId": request_id}, "error": True, "log": log}


def _process_failure(body: dict[str, Any], request_id: str) -> dict[str, Any]:
    """The payload for a process that failed rather than a function that raised."""
    message = str(body.get("errorMessage", ""))
    if _MARK in message:  # a failed start: the worker ends after reporting it
        payload: dict[str, Any] = json.loads(message)[_MARK]
        return payload
    if message == "Worker process died" or message.startswith("Worker process exited"):
        return {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {request_id} Error: Runtime exited without providing a "
            "reason",
        }
    if message.startswith("Task timed out"):  # while it was starting
        return {"errorType": "Sandbox.Timedout", "errorMessage": message}
    return body


@hooks.uses(
    "ministack.services.cloudformation.custom_resource:deliver_response",
    reason="answers a custom resource in place of its failed function",
    parameters=("token", "response"),
)
@hooks.around(
    "ministack.services.lambda_svc:_execute_function_with_config_scope",
    reason="a failed function of a custom resource is waited for until its timeout",
)
def _failing_custom_resources(
    execute: Callable[..., Answer], func: dict[str, Any], event: Any
) -> Answer:
    """Fail a custom resource whose function failed before it answered CloudFormation."""
    answer = execute(func, event)
    if answer.get("error") and isinstance(event, dict) and "ResponseURL" in event:
        body = answer.get("body") or {}
        custom_resource.deliver_response(
            str(event["ResponseURL"]).rsplit("/", 1)[-1],
            {
                "Status": "FAILED",
                "Reason": f"The resource's function failed without answering: "
                f"{body.get('errorType')}: {body.get('errorMessage')}",
            },
        )
    return answer
