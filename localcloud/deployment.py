"""Deploying an app to the local cloud with the real CDK command line.

The commands are those for AWS, with an environment that leads to the local cloud only. Three
things save time on a fresh cloud: the app is synthesized once, into a directory that deploy, diff
and destroy then read; the account is bootstrapped meanwhile; and the CDK's own rules for
CloudFormation, more than half of a synthesis, are left to the gates and to deployments to AWS.
"""

import collections
import concurrent.futures
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from localcloud.lifecycle import Cloud

Output = Callable[[str], None]

_TOOLKIT_STACK = "CDKToolkit"
_LAST_LINES = 40

# No telemetry, version check or notices (each would call home), plain text, and none of the notices
# about Node versions that Spine supports (jsii's variable lists the major versions it is about).
_QUIET = {
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "CDK_DISABLE_VERSION_CHECK": "1",
    "CDK_VALIDATION": "false",
    "CI": "true",
    "NO_COLOR": "1",
    "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20,21",
    "NODE_NO_WARNINGS": "1",
}
_COMMON = ("--no-notices", "--no-color", "--no-version-reporting")


class DeployError(RuntimeError):
    """A CDK command failed; the message holds the command and the end of what it said."""


def deploy(
    cloud: Cloud,
    *,
    app_dir: Path,
    context: Mapping[str, str],
    assembly: Path | None = None,
    on_output: Output = lambda _: None,
) -> dict[str, dict[str, str]]:
    """Synthesize an app and deploy all of its stacks; bootstrap the account first when needed.

    Args:
        cloud: Where to deploy.
        app_dir: The app's root: `cdk.json` and `node_modules/.bin/cdk` are there.
        context: Context values (`-c`), over those of `cdk.json`.
        assembly: What the app was synthesized to already (`cdk.out`).
        on_output: Told each line the CDK command line prints.

    Returns:
        The outputs, by stack name and output key.

    Raises:
        DeployError: A command failed.
    """
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
        bootstrapped = pool.submit(_bootstrap, cloud, app_dir, on_output)
        assembly = assembly or _synthesize(cloud, app_dir, context, on_output)
        bootstrapped.result()
    outputs = cloud.home / "outputs.json"
    outputs.unlink(missing_ok=True)
    _cdk(
        cloud,
        app_dir,
        [
            *("deploy", "--app", str(assembly), "--all", "--require-approval", "never"),
            # No change set to read first: nobody approves anything here.
            *("--method", "direct", "--asset-parallelism", "--concurrency", "4"),
            *("--outputs-file", str(outputs)),
        ],
        on_output=on_output,
    )
    found: dict[str, dict[str, str]] = json.loads(outputs.read_text()) if outputs.exists() else {}
    return found


def diff(
    cloud: Cloud,
    *,
    app_dir: Path,
    context: Mapping[str, str],
    on_output: Output = lambda _: None,
) -> bool:
    """Compare an app with what is deployed.

    Returns:
        True when deploying would change something.

    Raises:
        DeployError: A command failed.
    """
    assembly = _synthesize(cloud, app_dir, context, on_output)
    command = ["diff", "--app", str(assembly), "--fail"]
    code = _cdk(cloud, app_dir, command, on_output=on_output, accepted=(0, 1))
    return code == 1


def destroy(
    cloud: Cloud,
    *,
    app_dir: Path,
    context: Mapping[str, str],
    on_output: Output = lambda _: None,
) -> None:
    """Remove every stack of an app.

    Raises:
        DeployError: A command failed.
    """
    assembly = _synthesize(cloud, app_dir, context, on_output)
    command = ["destroy", "--app", str(assembly), "--all", "--force"]
    _cdk(cloud, app_dir, command, on_output=on_output)


def _synthesize(cloud: Cloud, app_dir: Path, context: Mapping[str, str], on_output: Output) -> Path:
    """Synthesize into the state directory, without the build step that packages for AWS."""
    assembly = cloud.home / "cdk.out"
    chosen = [part for key, value in context.items() for part in ("-c", f"{key}={value}")]
    _cdk(
        cloud,
        app_dir,
        ["synth", "--quiet", "--output", str(assembly), "--build", "", *chosen],
        on_output=on_output,
        directory=app_dir,
    )
    return assembly


def _bootstrap(cloud: Cloud, app_dir: Path, on_output: Output) -> None:
    """Create the stack that deployments upload through, unless it is there."""
    formation = cloud.client("cloudformation")
    stacks = formation.list_stacks(StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])
    if any(stack["StackName"] == _TOOLKIT_STACK for stack in stacks["StackSummaries"]):
        return
    command = ["bootstrap", f"aws://{cloud.account}/{cloud.region}"]
    _cdk(cloud, app_dir, command, on_output=on_output)


def _cdk(
    cloud: Cloud,
    app_dir: Path,
    arguments: Sequence[str],
    *,
    on_output: Output,
    directory: Path | None = None,
    accepted: Sequence[int] = (0,),
) -> int:
    """Run the app's own CDK command line and return its exit code.

    `directory` is where it runs; by default one without a `cdk.json`, whose build and app
    commands have no business in deploying what is synthesized already.
    """
    program = app_dir.resolve() / "node_modules" / ".bin" / "cdk"
    if not program.exists():
        raise DeployError(f"{program} is missing. Install it: npm ci")
    command = [str(program), *arguments, *_COMMON]
    last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
    with subprocess.Popen(  # noqa: S603 - the app's own tool
        command,
        cwd=directory or cloud.home,
        # Its cache tells accounts by access key, and is for everybody to read in the user's home.
        env=cloud.process_environment() | _QUIET | {"CDK_HOME": str(cloud.home / "cdk")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        for line in process.stdout:
            last.append(line.rstrip())
            on_output(line.rstrip())
    if process.returncode not in accepted:
        raise DeployError(
            f"cdk {' '.join(arguments)} failed with code {process.returncode}:\n" + "\n".join(last)
        )
    return process.returncode
