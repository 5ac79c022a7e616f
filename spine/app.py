"""The commands: what each takes and its help. The work is done by the modules beside this one.

Those are imported inside the commands, so that `spine --help` need not load boto3 and rich tables.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from spine import help_texts
from spine.errors import CommandError, describe

_INTERRUPTED = 130


class Commands(TyperGroup):
    """The group that turns every error into a message, a remedy and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(_INTERRUPTED) from None
        except BrokenPipeError:
            # `spine logs x | head`: nobody reads on. Python's own flush at exit must not complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except Exception as error:
            if os.environ.get("SPINE_DEBUG") == "1":
                raise
            raise typer.Exit(_report(error)) from None


class Run(TyperCommand):
    """The command `run`, whose help lists the fields of the execution input: they load pydantic."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        self.epilog = help_texts.run()
        super().format_help(ctx, formatter)


def _report(error: Exception) -> int:
    """Print what went wrong on standard error; return the exit code."""
    if isinstance(error, typer.Exit | typer.Abort) or type(error).__module__.startswith("typer"):
        raise error
    from spine import view

    known = describe(error) or CommandError(
        f"{type(error).__name__}: {error}",
        remedy="This is a defect of the command line. SPINE_DEBUG=1 shows where it happened.",
    )
    view.problem(view.console(stderr=True), known)
    return known.exit_code


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=help_texts.INTRODUCTION,
    epilog=help_texts.FAREWELL,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"spine {version('spine')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options that go before a command."""


_RUNS = "Runs"
_CLOUD = "The local cloud"

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command(rich_help_panel=_RUNS, cls=Run)
def run(
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            "-s",
            metavar="PATH|URL|S3",
            help="Training file, or a folder of files: here, at an https:// or an s3:// address. "
            "Default: UCI's vertebral column data; where UCI cannot be reached, a copy of it.",
        ),
    ] = None,
    execution_input: Annotated[
        str | None,
        typer.Option(
            "--input",
            "-i",
            metavar="JSON|FILE|-",
            help="The execution input, laid over the defaults; all its fields stand below.",
        ),
    ] = None,
    pipeline: Annotated[
        str,
        typer.Option(
            "--pipeline",
            metavar="LABEL",
            help="Which of the app's pipelines, where it has several. Default: the first.",
            show_default=False,
        ),
    ] = "",
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="Name of the execution; each is used once.")
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print the execution output alone; progress on standard error."
        ),
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=1, metavar="SECONDS", help="Stop the run when it takes longer."
        ),
    ] = None,
) -> None:
    """Prepare, train, serve, predict, measure and clean up: the whole pipeline, once.

    Starts the cloud and deploys the app if needed, shows every state as it runs,
    then the metrics, where the report is, and what is left.
    """
    from spine import run as life
    from spine.output import read_input

    request = life.ask(
        source=source,
        execution_input=read_input(execution_input),
        pipeline=pipeline,
        name=name,
        as_json=as_json,
        timeout=timeout,
    )
    raise typer.Exit(life.perform(request))


@app.command(rich_help_panel=_RUNS, name="inspect")
def inspect_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A training file on this machine.")],
    label: Annotated[
        str | None,
        typer.Option("--label", "-l", metavar="NAME", help="The column to predict."),
    ] = None,
    member: Annotated[
        str | None, typer.Option("--member", metavar="NAME", help="The file inside of an archive.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            "-w",
            metavar="FILE",
            help="Write the execution input there, commented, for spine run --input.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Look at a training file before anything runs: its columns, all problems, and the input.

    Needs no cloud. Of a large file only some rows are looked at, and it says so.
    """
    from spine import inspect as looking
    from spine import view
    from spine.output import print_json

    found = looking.look(file, label=label, member=member)
    if write is not None:
        looking.write(looking.written(found, file, write), write)
    if as_json:
        print_json(found.summary())
    else:
        looking.show(view.console(), found, file, write)
    raise typer.Exit(0 if found.is_readable else 1)


@app.command(rich_help_panel=_RUNS)
def status(
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=1000, help="How many runs to list.")
    ] = 10,
    as_json: Json = False,
) -> None:
    """Show the cloud, the stacks, the latest runs, and endpoints that are left and until when."""
    from spine import status as state
    from spine import view
    from spine.output import print_json

    found = state.collect(limit=limit)
    if as_json:
        print_json(found)
    else:
        state.show(view.console(), found)


@app.command(rich_help_panel=_RUNS, epilog=help_texts.PREDICT)
def predict(
    endpoint: Annotated[
        str | None,
        typer.Argument(
            help="Endpoint or run. Default: the only endpoint in service.", metavar="[ENDPOINT]"
        ),
    ] = None,
    row: Annotated[
        list[str] | None,
        typer.Option("--row", "-r", metavar="1,2,3", help="One row of features; again for more."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="CSV file of features, without header and label."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask an endpoint that a run kept; rows also come on standard input.

    Keep one with: spine run --input '{"endpoint": {"keep": true}}'
    """
    from spine import predict as asking
    from spine import session, view
    from spine.output import print_json

    rows = asking.read(rows=row or [], file=file)
    found = asking.run(session.need_cloud(), name=endpoint, rows=rows)
    if as_json:
        print_json(found)
    else:
        asking.show(view.console(), found)


@app.command(rich_help_panel=_RUNS, epilog=help_texts.LOGS)
def logs(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="A function, a run, a job, an endpoint, gateway, sagemaker or deploy; an "
            "unmistakable part will do. Default: list them.",
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written, until Ctrl-C.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="Last lines of each log; 0 for all.")
    ] = 200,
) -> None:
    """Show what functions, jobs, endpoints and the cloud itself wrote."""
    from spine import logs as reading
    from spine import session, view

    target = view.console()
    cloud = session.find_cloud()
    everything = reading.known(cloud)
    if what is None:
        reading.overview(target, everything)
        return
    found = reading.find(cloud, everything, what)
    if not reading.show(target, found, lines=lines) and not follow:
        view.console(stderr=True).print(f"{what} has written nothing.", style="dim")
    if follow:
        reading.follow(target, found)


@app.command(rich_help_panel=_CLOUD, epilog=help_texts.UP)
def up(
    port: Annotated[
        int | None,
        typer.Option("--port", "-p", min=1, max=65535, help="Loopback port. Default: a free one."),
    ] = None,
    enforce_iam: Annotated[
        bool,
        typer.Option(
            "--enforce-iam",
            help="Let the deployed policies decide what each role may do, as AWS does.",
        ),
    ] = False,
    quota: Annotated[
        list[str] | None,
        typer.Option(
            "--quota",
            metavar="TYPE/USE=COUNT",
            help="Allow so many instances of a type at SageMaker, as a new account does; may be "
            "repeated.",
        ),
    ] = None,
    throttle: Annotated[
        float | None,
        typer.Option(
            "--throttle",
            metavar="RATE",
            help="Answer so many requests a second of each SageMaker operation, refuse the rest.",
        ),
    ] = None,
    consistency_lag: Annotated[
        float | None,
        typer.Option(
            "--consistency-lag",
            metavar="SECONDS",
            help="Let new models and endpoint configs be found only so long after their creation.",
        ),
    ] = None,
    delay: Annotated[
        list[str] | None,
        typer.Option(
            "--delay",
            metavar="NAME=SECONDS",
            help="Make a step at SageMaker take longer, see below; may be repeated.",
        ),
    ] = None,
    retry_delay: Annotated[
        float | None,
        typer.Option(
            "--retry-delay",
            metavar="SECONDS",
            help="Wait so long before a function that failed for an event is tried again, and "
            "twice as long the next time. Default: 1; 60 on AWS.",
        ),
    ] = None,
    concurrent_functions: Annotated[
        int | None,
        typer.Option(
            "--concurrent-functions",
            min=1,
            metavar="COUNT",
            help="Calls of functions that run at once. Default: by this machine.",
        ),
    ] = None,
    concurrent_jobs: Annotated[
        int | None,
        typer.Option(
            "--concurrent-jobs",
            min=1,
            metavar="COUNT",
            help="SageMaker jobs that run at once. Default: one a core.",
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-origin",
            metavar="ORIGIN",
            help="Let pages of this origin call the cloud, with its key; may be repeated. "
            "Default: no page of a browser.",
        ),
    ] = None,
    faults: Annotated[
        Path | None,
        typer.Option(
            "--faults", help="JSON file of calls that shall go wrong, see below.", metavar="FILE"
        ),
    ] = None,
) -> None:
    """Start the local cloud, empty, unless it runs."""
    from spine import session, view

    target = view.console()
    wanted = None if faults is None else session.read_faults(faults)
    conditions = session.conditions(
        enforce_iam=enforce_iam,
        quotas=quota or (),
        throttle=throttle,
        consistency_lag=consistency_lag,
        delays=delay or (),
        retry_delay=retry_delay,
        concurrent_functions=concurrent_functions,
        concurrent_jobs=concurrent_jobs,
        allowed_origins=allow_origin or (),
    )
    cloud = session.bring_up(view.Steps(target), port=port, conditions=conditions)
    if wanted is not None:
        session.set_faults(cloud, wanted)
        target.print(f"{len(wanted)} faults wait for the pipeline's calls.")
    target.print(f"The local cloud runs on {cloud.endpoint_url} (pid {cloud.pid}).")
    target.print('Use it from any AWS tool:  eval "$(spine env)"', style="dim", highlight=False)


@app.command(rich_help_panel=_CLOUD)
def deploy(
    assembly: Annotated[
        Path | None,
        typer.Option(
            "--app",
            metavar="DIRECTORY",
            exists=True,
            file_okay=False,
            resolve_path=True,
            help="What the app as it stands was synthesized to already, as of `cdk deploy`.",
        ),
    ] = None,
) -> None:
    """Deploy the app with the real CDK command line, starting the cloud if needed."""
    from spine import session, view

    target = view.console()
    steps = view.Steps(target)
    found = session.bring_app(session.bring_up(steps), steps, always=True, assembly=assembly)
    target.print(f"Bucket         {found.bucket}")
    for machine in found.machines.values():
        target.print(f"State machine  {machine}", soft_wrap=True)
    target.print("Start a run: spine run", style="dim")


@app.command(rich_help_panel=_CLOUD, epilog=help_texts.ENV)
def env(
    as_json: Json = False,
    unset: Annotated[
        bool, typer.Option("--unset", help="Print what brings back what was set before.")
    ] = False,
) -> None:
    """Print the variables that point the AWS CLI, boto3 and the CDK at the local cloud."""
    from spine import environment, session
    from spine.output import print_json

    if unset:
        # The names do not depend on a cloud, which may be down by now.
        from localcloud.credentials import Credentials
        from localcloud.environment_variables import client_environment

        none = Credentials(access_key_id="", secret_access_key="")
        for line in environment.leaving(client_environment(0, none), os.environ):
            typer.echo(line)
        return
    variables = session.need_cloud().environment()
    if as_json:
        print_json(variables)
        return
    for line in environment.entering(variables, os.environ):
        typer.echo(line)


@app.command(rich_help_panel=_CLOUD)
def down() -> None:
    """Stop the local cloud and everything in it. Its buckets and stacks are gone; reports stay."""
    import localcloud
    from spine import view
    from spine.places import home, shown

    target = view.console()
    if localcloud.stop(home()):
        target.print(f"The local cloud is stopped. Logs and reports stay in {shown(home())}.")
    else:
        target.print("The local cloud was not running.")


@app.command(rich_help_panel=_CLOUD)
def destroy() -> None:
    """Remove the app's stacks from the local cloud with the CDK command line, data included."""
    from spine import session, view

    target = view.console()
    session.remove_app(session.need_cloud(), view.Steps(target))
    target.print("The app's stacks are gone; the local cloud still runs (spine down stops it).")
